# SPDX-License-Identifier: Apache-2.0
"""Run the soak suite and print results: ``python -m robustness.soak.run``."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.table import Table

from fer_perception.face import RgbImage
from fer_perception.images.picture_folder import PictureFolder

from . import load, long_run, recoveries, training_kills
from .flashes import MAX_FLASHES

_CONSOLE = Console(width=None if Console().is_terminal else 130, soft_wrap=True)


def _print(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(title=title)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    _CONSOLE.print(table)


def _print_failures(failures: Iterable[str]) -> bool:
    """Print the failures; return whether the list is empty."""
    failures = list(failures)
    for failure in failures:
        print(f"FAILED: {failure}")
    return not failures


def _pictures(folder: Path | None) -> list[RgbImage]:
    return [] if folder is None else [frame.image for frame in PictureFolder(folder)]


def _graph(options: argparse.Namespace) -> bool:
    pictures = _pictures(options.pictures)
    report = long_run.run(60.0 * options.minutes, options.seed, pictures)
    print(
        f"{report.seconds / 60:.1f} minutes, {report.images} images, {report.packets} packets to "
        f"the lamp, which swung {report.swings} times; {report.visits} visits of the page"
    )
    faults = ", ".join(f"{name} {count}" for name, count in sorted(report.faults.items()))
    print(f"faults: {faults}")
    if report.recoveries_s:
        print(
            f"recoveries: {len(report.recoveries_s)}, median "
            f"{statistics.median(report.recoveries_s):.2f} s, longest "
            f"{max(report.recoveries_s):.2f} s; lost: {len(report.lost)}"
        )
    print(
        f"flashes in the worst second: {report.worst_flashes}, red {report.worst_red_flashes}; "
        f"violations: {report.violations}"
    )
    _print(
        "Resources of the processes",
        ["process", "quantity", "lives", "longest, s", "least", "most", "slope an hour", "flat"],
        [
            [
                watched.of,
                watched.quantity,
                str(watched.trend.lives),
                f"{watched.trend.longest_s:.0f}",
                f"{watched.trend.least:.0f}",
                f"{watched.trend.most:.0f}",
                f"{watched.trend.slope_per_h:+.1f}",
                "yes" if watched.is_flat else "NO",
            ]
            for watched in report.watched
        ],
    )
    grown = [w for w in report.watched if not w.is_flat]
    return _print_failures(
        [
            *(f"lost: {text}" for text in report.lost),
            *report.failures,
            *(f"{w.of} {w.quantity} grew by {w.trend.growth:.0f}" for w in grown),
            *([f"{report.violations} flashes too many"] if report.violations else []),
        ]
    )


def _faults(options: argparse.Namespace) -> bool:
    report = recoveries.measure(options.repeats, options.seed)
    _print(
        f"Seconds until the lamp follows a face again, {options.repeats} times each",
        ["fault", "median", "longest", "lost"],
        [
            [
                recovery.fault,
                f"{recovery.median_s:.2f}",
                f"{max(recovery.seconds, default=float('nan')):.2f}",
                str(len(recovery.lost)),
            ]
            for recovery in report.recoveries
        ],
    )
    lost = [f"{r.fault}: {text}" for r in report.recoveries for text in r.lost]
    if report.exit_code:
        lost.append(f"exit code {report.exit_code}")
    if max(report.flashes, report.red_flashes) > MAX_FLASHES:
        lost.append(f"{report.flashes} flashes and {report.red_flashes} red ones in a second")
    return _print_failures(lost)


def _load(options: argparse.Namespace) -> bool:
    seconds = options.seconds
    cases = (
        ("1 camera, 30 Hz", load.cameras(1, 30.0, seconds)),
        ("4 cameras, 30 Hz each", load.cameras(4, 30.0, seconds)),
        ("4 cameras, 30 Hz each, 20 faces", load.cameras(4, 30.0, seconds, faces=20)),
        ("1 camera, 10 Hz, 50 faces", load.cameras(1, 10.0, seconds, (1920, 1080), 50)),
        ("1 camera, 30 Hz, 50 faces", load.cameras(1, 30.0, seconds, (1920, 1080), 50)),
    )
    _print_cameras(f"One perception process, {seconds:g} s", cases)
    light = load.messages(1000.0, seconds)
    _print(
        f"Emotion messages to the light, {light.seconds:.1f} s",
        ["sent", "a second", "colours a second", "longest gap ms", "CPU", "MB"],
        [
            [
                str(light.sent),
                f"{light.sent / light.seconds:.0f}",
                f"{light.colors_hz:.1f}",
                f"{1e3 * light.longest_gap_s:.0f}",
                *_usage(light.usage),
            ]
        ],
    )
    bad = [name for name, case in cases if not case.is_good]
    return _print_failures(
        [f"{name}: unfair, late or lost" for name in bad + ["light"] * (not light.is_good)]
    )


def _print_cameras(title: str, cases: Sequence[tuple[str, load.CameraLoad]]) -> None:
    _print(
        title,
        ["load", "sent", "answered", "faces", "p50 ms", "p95 ms", "longest ms", "CPU", "MB"],
        [
            [
                name,
                str(sum(case.sent)),
                " + ".join(str(count) for count in case.answered),
                f"{case.faces:g}",
                *(f"{1e3 * latency_s:.0f}" for latency_s in case.latency_s),
                *_usage(case.usage),
            ]
            for name, case in cases
        ],
    )


def _weak(options: argparse.Namespace) -> bool:
    seconds, share = options.seconds, load.WEAK_SHARE
    cases = (
        ("640x480, 1 face", load.cameras(1, 30.0, seconds, share=share)),
        ("1280x720, 4 faces", load.cameras(1, 30.0, seconds, (1280, 720), 4, share)),
    )
    _print_cameras(f"30 Hz on {share:g} of a core, {seconds:g} s", cases)
    for name, case in cases:
        print(f"{name}: {'; '.join(case.said)}")
    return _print_failures(
        [
            f"{name}: fewer than {load.LEAST_ANSWERED_HZ:g} a second, late, or silent about it"
            for name, case in cases
            if not case.is_good_for_a_weak_computer
        ]
    )


_MANY = 8
_MAX_GROWTH_MB = 8.0


def _cameras(options: argparse.Namespace) -> bool:
    case = load.cameras(_MANY, 15.0, 60.0 * options.minutes, (320, 240))
    _print_cameras(
        f"{_MANY} cameras of 320x240 at 15 Hz in one process, {options.minutes:g} minutes",
        [("1 face each", case)],
    )
    fairness = min(case.answered) / max(case.answered)
    print(
        f"fairness, least over most answered: {fairness:.3f}; its own memory, MB: "
        f"{', '.join(f'{own_mb:.0f}' for own_mb in case.own_mb)}; growth in the second half: "
        f"{case.growth_mb:+.1f}"
    )
    return _print_failures(
        [
            *([] if case.is_good else ["a camera starved, was late or lost"]),
            *([] if case.growth_mb <= _MAX_GROWTH_MB else ["the memory grows"]),
        ]
    )


def _usage(usage: load.Usage) -> tuple[str, str]:
    before, after = usage.memory_mb
    return f"{usage.cpu_percent:.0f} %", f"{before:.0f} to {after:.0f}"


def _training(options: argparse.Namespace) -> bool:
    report = training_kills.kill_and_resume(options.kills, options.seed)
    print(f"{report.kills} kills in {report.runs} trainings; files that differ: ", end="")
    print(len(report.different))
    return _print_failures(report.different)


_PARTS: Mapping[str, Callable[[argparse.Namespace], bool]] = MappingProxyType(
    {
        "load": _load,
        "weak": _weak,
        "cameras": _cameras,
        "faults": _faults,
        "training": _training,
        "graph": _graph,
    }
)


def main(args: list[str] | None = None) -> int:
    """Run the command line; return 1 on any failure."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *_PARTS], help="default: all")
    parser.add_argument("--seconds", type=float, default=30.0, help="duration of each load [s]")
    parser.add_argument("--minutes", type=float, default=30.0, help="duration of cameras, graph")
    parser.add_argument("--pictures", type=Path, help="folder with faces for the long run")
    parser.add_argument("--repeats", type=int, default=5, help="how often to do each fault")
    parser.add_argument("--kills", type=int, default=50, help="how often to kill a training")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(args)
    good = [_PARTS[part](options) for part in options.parts or _PARTS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
