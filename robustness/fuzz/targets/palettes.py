# SPDX-License-Identifier: Apache-2.0
"""Damaged palettes, other YAML, and exponentially expanding aliases."""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path
from random import Random

import yaml

from ambient_light_driver.color.palette import load_palette, shipped_palettes
from fer_common.options import ConfigError

from ..mutation import mutated, nasty_value
from ..target import Target, Try


def _prepare() -> Try:
    folder = resources.files("ambient_light_driver").joinpath("palettes")
    seeds = [folder.joinpath(f"{name}.yaml").read_bytes() for name in shipped_palettes()]
    documents = [yaml.safe_load(seed) for seed in seeds]
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_palettes_")
    path = Path(temporary.name, "mine.yaml")

    def try_one(rng: Random) -> None:
        kind = rng.randrange(8)
        if kind == 0:
            content = _unfolding(rng)
        elif kind == 1:
            content = _tree_with_a_fault(rng, rng.choice(documents))
        elif kind == 2:
            content = yaml.safe_dump(nasty_value(rng, 3), allow_unicode=True).encode()
        elif kind == 3:
            content = rng.choice((b"[", b"{", b"- ", b"? ", b"!!", b"&a ")) * rng.randint(1, 3000)
        else:
            content = mutated(rng, rng.choice(seeds))
        path.write_bytes(content)
        palette = load_palette(str(path))
        assert all(color.is_valid() for color in palette.emotions.values())
        assert temporary  # kept alive by this function

    return try_one


def _unfolding(rng: Random) -> bytes:
    """Return nested aliases that expand to 2^n leaves."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, rng.randint(2, 60))]
    key = rng.choice(("emotions", "idle", "source", "other"))
    return "\n".join([*lines, f"{key}: *a{len(lines) - 1}"][rng.choice((0, -1)) :]).encode() + (
        b"" if rng.random() < 0.5 else b"\n" + "\n".join(lines).encode()
    )


def _tree_with_a_fault(rng: Random, document: dict[str, object]) -> bytes:
    """Return a palette with one replaced value."""
    copy = yaml.safe_load(yaml.safe_dump(document))
    at = copy
    while isinstance(at, dict) and at:
        key = rng.choice(list(at))
        if not isinstance(at[key], dict) or rng.random() < 0.2:
            at[key] = nasty_value(rng)
            break
        at = at[key]
    return yaml.safe_dump(copy, allow_unicode=True).encode()


TARGETS = (Target("palettes", 8_000, _prepare, (ConfigError,)),)
