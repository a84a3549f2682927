# SPDX-License-Identifier: Apache-2.0
"""Run the benchmarks and print their tables: ``python -m bench.run``."""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from . import (
    accuracy,
    arm64,
    ceiling,
    cost_model,
    following,
    frames,
    graph,
    labels,
    recognizer,
)
from .page import Page
from .peers import DEEPFACE, PEERS
from .test_images import with_faces
from .tracking import measure as tracking
from .tracking import peer_trackers
from .tracking.people import people_of, photographs_of, share_alike

_PLOT = Path(__file__).resolve().parent.parent / "docs" / "cost_model.png"
_PAGE = Page()


def _print(part: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Add a table of the benchmark's ``part`` to the page."""
    _PAGE.table(title, columns, rows, f"make bench BENCH_ARGS={part}")


def _accuracy(options: argparse.Namespace) -> None:
    _PAGE.table(
        "Accuracy on FER2013 with FER+ votes, %: sets and rules in models/README.md",
        ["model", "report", "with flip_average", "balanced", "ferplus8", "ECE"],
        [
            [
                model.name,
                *(
                    f"{value:.2f}"
                    for value in (
                        model.report,
                        model.report_flip,
                        model.balanced,
                        model.ferplus8,
                        model.ece,
                    )
                ),
            ]
            for model in accuracy.read()
        ],
        "ros2 run fer_training evaluate models/NAME --data DATA --write",
    )


def _frames(options: argparse.Namespace) -> None:
    rows = frames.measure(options.rounds, options.peers, options.image)
    titles = list(rows[0].peers_ms)

    def image(row: frames.FrameRow) -> list[str]:
        return [f"{row.width}x{row.height}", str(row.faces)]

    def ours(row: frames.FrameRow, key: tuple[str, int]) -> str:
        return f"{row.ours_ms[key]:.2f}"

    def against(row: frames.FrameRow, title: str, size: int) -> str:
        return f"{row.peers_ms[title] / row.ours_ms['native', size]:.1f}x"

    _print(
        "frames",
        "Detection, ms per frame (medians, interleaved; ours on one thread, min face 40 and 20)",
        ["image", "faces", *titles, "ours 40", "ours 20", "ORT 40", "ORT 20", "found"],
        [
            [
                *image(row),
                *(f"{row.peers_ms[title]:.1f}" for title in titles),
                ours(row, ("native", 40)),
                ours(row, ("native", 20)),
                ours(row, ("onnxruntime", 40)),
                ours(row, ("onnxruntime", 20)),
                f"{row.found}{'' if row.same_faces else ', NOT as DeepFace'}",
            ]
            for row in rows
        ],
    )
    _print(
        "frames",
        "Detection, how many times as fast as each peer, at min face 40 / 20",
        ["image", "faces", *titles],
        [
            [
                *image(row),
                *(f"{against(row, t, 40)} / {against(row, t, 20)}" for t in titles),
            ]
            for row in rows
        ],
    )
    _print(
        "frames",
        "Whole pipeline, ms per frame (times as fast): image in memory -> scores of all faces",
        [
            "image",
            "faces",
            f"{DEEPFACE.title} + torch eager",
            *(f"ours, {title}" for title in frames.PIPELINES),
        ],
        [
            [
                *image(row),
                f"{row.deepface_loop_ms:.1f}",
                *(
                    f"{elapsed_ms:.2f} ({row.deepface_loop_ms / elapsed_ms:.1f}x)"
                    for elapsed_ms in row.pipeline_ms.values()
                ),
            ]
            for row in rows
        ],
    )


def _recognizer(options: argparse.Namespace) -> None:
    _print(
        "recognizer",
        "Recogniser, ms per face (medians, interleaved, one thread)",
        ["", *(f"batch {b} (of eager)" for b in recognizer.BATCHES), "same label as eager"],
        [
            [
                row.name,
                *(f"{row.ms[b]:.2f} ({row.ratio[b]:.2f})" for b in recognizer.BATCHES),
                f"{100 * row.same_labels:.1f} %",
            ]
            for row in recognizer.measure(options.rounds)
        ],
    )


def _ceiling(options: argparse.Namespace) -> None:
    reached = ceiling.measure()
    rows = frames.measure_ours(options.rounds, options.image)
    _PAGE.text(
        f"One core reaches {reached.float32_gflops:.0f} GFLOP/s in a 3x3 convolution of 128 "
        f"channels (float32, the best of many)."
    )
    lines = []
    for (width, height, faces), (detection_ms, pipeline_ms) in rows.items():
        needed = ceiling.work(with_faces(width, height, faces))
        floor_ms = 2e-3 * needed.detection / reached.float32_gflops * 1e3
        whole = needed.detection + faces * needed.recognition
        whole_ms = 2e-3 * whole / reached.float32_gflops * 1e3
        lines.append(
            [
                f"{width}x{height}",
                str(faces),
                f"{needed.detection:.0f}",
                f"{floor_ms:.2f}",
                f"{detection_ms:.2f}",
                f"{detection_ms / floor_ms:.2f}",
                f"{whole:.0f}",
                f"{whole_ms:.2f}",
                f"{pipeline_ms:.2f}",
                f"{pipeline_ms / whole_ms:.2f}",
            ]
        )
    _print(
        "ceiling",
        "Distance to the machine's limit (direct float32; int8 and Winograd can go below it)",
        [
            "image",
            "faces",
            "detection MMAC",
            "floor ms",
            "ours ms",
            "ratio",
            "pipeline MMAC",
            "floor ms",
            "ours ms",
            "ratio",
        ],
        lines,
    )


def _graph(options: argparse.Namespace) -> None:
    _print(
        "graph",
        f"Camera process to EmotionArray, best effort at 30 Hz for {options.seconds:g} s",
        [
            "image",
            "faces",
            "sent",
            "reached the node",
            "answered",
            "answered/s",
            "latency p50 ms",
            "p95 ms",
            "CPU, % of a core",
            "memory MB, start to end",
        ],
        [
            [
                f"{row.width}x{row.height}",
                str(row.faces),
                str(row.sent),
                str(row.received),
                str(row.answered),
                f"{row.answered_hz:.1f}",
                f"{row.latency_p50_ms:.1f}",
                f"{row.latency_p95_ms:.1f}",
                f"{row.cpu_percent:.0f}",
                f"{row.memory_mb[0]:.0f} to {row.memory_mb[1]:.0f}",
            ]
            for row in graph.measure(options.seconds)
        ],
    )


def _cost(options: argparse.Namespace) -> None:
    models = cost_model.measure()
    cost_model.draw(models, _PLOT)
    _print(
        "cost",
        "Cost model, fitted: ms per frame = base + a * 10^6 pixels + b * faces",
        ["", "base ms", "ms for 10^6 pixels", "ms per face"],
        [
            [m.mode, f"{m.base_ms:.2f}", f"{m.megapixel_ms:.2f}", f"{m.face_ms:.2f}"]
            for m in models
        ],
    )
    _PAGE.text("![ms per frame by pixels and faces, measured and fitted](cost_model.png)")


def _following(options: argparse.Namespace) -> None:
    if options.clips is None:
        _PAGE.text("Comparison of following and searching skipped: give --clips FOLDER")
        return
    _print(
        "following",
        "Following beside searching every frame, on clips",
        ["", "faces", "missed", "extra", "box IoU, mean", "5th percentile", "same label", "ms"],
        [
            [
                name,
                str(a.faces),
                str(a.missed),
                str(a.extra),
                f"{np.mean(a.ious):.3f}",
                f"{np.percentile(a.ious, 5):.3f}",
                f"{100 * a.same_labels / len(a.ious):.1f} %",
                f"{1e3 * a.seconds / a.frames:.2f}",
            ]
            for name, a in following.measure(options.clips).items()
        ],
    )


def _labels(options: argparse.Namespace) -> None:
    if options.clips is None or not options.photos:
        _PAGE.text("Steadiness of labels skipped: give --clips FOLDER and --photos PATH ...")
        return
    rows = labels.measure(following.clips_of(options.clips), photographs_of(options.photos))
    names = list(rows[0].clip_changes)
    _print(
        "labels",
        "Label changes against time to switch, recognised at 10 Hz",
        ["", *names, "changes a minute on stills", "switch, median s", "90th percentile s"],
        [
            [
                row.way.name,
                *(str(row.clip_changes[name]) for name in names),
                f"{row.still_changes:.2f}",
                f"{row.median_s:.2f}",
                f"{row.p90_s:.2f}",
            ]
            for row in rows
        ],
    )


def _tracking(options: argparse.Namespace) -> None:
    if not options.photos:
        _PAGE.text("Tracking skipped: give --photos PATH ..., each person in one photograph")
        return
    people = people_of(options.photos)
    peers = [name for name in peer_trackers.TITLES if name in options.peers]
    source = "true boxes with noise" if options.simulated else "the node's detector"
    _print(
        "tracking",
        f"Tracking of people whose places are known, with {source}",
        [
            "clip",
            "tracker",
            "people",
            "ids (perfect)",
            "thefts",
            "switches",
            "missed",
            "extra",
            "MOTA",
            "IDF1",
            "found after, max s",
            "ms",
            "goal",
            "met",
        ],
        [
            [
                row.clip.name,
                row.tracker,
                str(row.clip.people),
                f"{row.count.ids} ({row.count.stays})",
                str(row.count.thefts),
                str(row.count.switches),
                f"{100 * row.count.missed / max(1, row.count.truths):.1f} %",
                str(row.count.extra),
                f"{row.count.mota:.3f}",
                f"{row.count.idf1:.3f}",
                f"{max(row.count.waits_s, default=0.0):.2f}",
                f"{row.frame_ms:.1f}",
                str(row.clip.goal),
                "yes" if row.count.meets(row.clip.goal) else "NO",
            ]
            for row in tracking.measure(people, options.simulated, peers)
        ],
    )
    _PAGE.text(
        f"{len(people)} people; the tracker takes {100 * share_alike(people):.1f} % of their "
        "pairs for one person. A theft is a person with the id of another; ms are of processor "
        "time for detection and tracking, without recognition. Default and every frame are ours; "
        "the peers get the faces of every frame and keep a lost one for the same time, everything "
        "else is as they come."
    )


def _arm64(options: argparse.Namespace) -> None:
    if missing := arm64.missing_tools():
        _PAGE.text(f"Instructions on arm64 were not counted: {missing}.")
        return
    with tempfile.TemporaryDirectory() as folder:
        counts = arm64.measure(arm64.build(Path(folder)))
    _print(
        "arm64",
        "Instructions in the kernels on arm64, in 10^6: counted by an emulator, exact",
        ["", *arm64.INSTRUCTION_SETS, "ratio"],
        [
            [
                row.task,
                *(f"{row.millions[name]:.1f}" for name in arm64.INSTRUCTION_SETS),
                f"{row.millions['neon'] / row.millions['generic']:.2f}",
            ]
            for row in counts
        ],
    )


_PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "accuracy": _accuracy,
    "frames": _frames,
    "recognizer": _recognizer,
    "ceiling": _ceiling,
    "graph": _graph,
    "cost": _cost,
    "following": _following,
    "labels": _labels,
    "tracking": _tracking,
    "arm64": _arm64,
}


def _image(text: str) -> tuple[int, int, int]:
    width, height, faces = map(int, text.replace("x", ":").split(":"))
    return width, height, faces


def main() -> None:
    """Run the selected benchmarks and print their tables."""
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)}")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run of the graph")
    parser.add_argument(
        "--image",
        nargs="*",
        type=_image,
        default=frames.IMAGES,
        metavar="WIDTHxHEIGHT:FACES",
        help="images of 'frames' and 'ceiling'; 1, 4 or 20 faces",
    )
    parser.add_argument("--clips", type=Path, help="folder of clips for 'following', 'labels'")
    parser.add_argument(
        "--photos",
        nargs="*",
        type=Path,
        default=[],
        metavar="PATH",
        help="photographs, or folders of them, for 'tracking' and 'labels'",
    )
    parser.add_argument(
        "--simulated", action="store_true", help="'tracking' without the detector, fast"
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        default=[*(peer.method for peer in PEERS), *peer_trackers.TITLES],
        help="besides deepface; those with PyTorch need an environment of several GB",
    )
    parser.add_argument("--write", type=Path, help="write the page as Markdown")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(_PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}: expected {', '.join(_PARTS)}")
    for name in options.parts or _PARTS:
        _PARTS[name](options)
    if options.write:
        _PAGE.write(options.write, shlex.join(sys.argv[1:]))


if __name__ == "__main__":
    main()
