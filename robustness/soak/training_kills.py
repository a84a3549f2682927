# SPDX-License-Identifier: Apache-2.0
"""Kill and resume a training; compare it with an uninterrupted one."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fer_evaluation.datasets.fer2013 import Fer2013, Usage
from fer_perception.emotions import EMOTIONS
from fer_training.learning.augmentation import Augmentation
from fer_training.learning.recipes import Recipe, Stage
from fer_training.learning.training import train

_NETWORK = "deep_emotion"
_RECIPE = Recipe(
    stages=(Stage(8),),
    augmentation=Augmentation(rotation_deg=5.0, erase_probability=0.5),
    batch_size=32,
    ema_decay=0.5,
    soft_targets=True,
)
# Forked, so that a restart needs no import of PyTorch; one thread, as forks lose the others.
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class KillReport:
    """Result of the trainings.

    :ivar kills: how often a training was killed.
    :ivar runs: trainings that completed in spite of it.
    :ivar different: files that differ from those of an uninterrupted training, as RUN/FILE.
    """

    kills: int
    runs: int
    different: tuple[str, ...]


def tiny_faces() -> Fer2013:
    """Return pictures whose class determines the brightness of a corner."""
    rng = np.random.default_rng(0)
    count = 96 + 24
    labels = np.arange(count) % len(EMOTIONS)
    images = rng.integers(0, 60, (count, 48, 48), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[8 * (label % 3) : 8 * (label % 3) + 12, 12 * (label // 3) :][:, :12] = 220
    votes = np.zeros((count, 10), np.uint8)
    votes[np.arange(count), labels] = 9
    usage = np.repeat([Usage.TRAINING, Usage.PRIVATE_TEST], [96, 24])
    return Fer2013(images, votes, usage, np.zeros(count, bool))


def _train(data: Fer2013, out: Path) -> None:
    with contextlib.redirect_stderr(io.StringIO()):  # no progress bars
        train(_NETWORK, _RECIPE, data, out, seed=3, resume=(out / "last.safetensors").exists())


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kill_and_resume(kills: int, seed: int = 0) -> KillReport:
    """Train with ``kills`` interruptions by SIGKILL and compare the files."""
    torch.set_num_threads(1)
    data = tiny_faces()
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="training_kills_") as name:
        folder = Path(name)
        start_s = time.monotonic()
        unbroken = _FORK.Process(target=_train, args=(data, folder / "unbroken"))
        unbroken.start()
        unbroken.join()
        whole_s = time.monotonic() - start_s
        expected = _files(folder / "unbroken")
        killed, runs = 0, 0
        different: list[str] = []
        while killed < kills:
            out = folder / f"run_{runs}"
            while True:
                process = _FORK.Process(target=_train, args=(data, out))
                process.start()
                process.join(rng.uniform(0.0, 1.2 * whole_s) if killed < kills else None)
                if process.exitcode is not None:
                    break
                process.kill()
                process.join()
                killed += 1
            found = _files(out)
            different += [
                f"{out.name}/{file}"
                for file in sorted(expected.keys() | found.keys())
                if expected.get(file) != found.get(file)
            ]
            if process.exitcode:
                different.append(f"{out.name}: exit code {process.exitcode}")
            runs += 1
    return KillReport(killed, runs, tuple(different))
