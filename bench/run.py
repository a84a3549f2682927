# SPDX-License-Identifier: Apache-2.0
"""Run the benchmarks and print their tables: ``python -m bench.run``."""

import argparse
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np

from . import (
    accuracy,
    arm64,
    ceiling,
    cost_model,
    following,
    frames,
    frontier,
    graph,
    idle,
    labels,
    processes,
    recognizer,
)
from .page import Page
from .peers import PEERS
from .stopwatch import CLOCKS
from .test_images import with_faces
from .tracking import measure as tracking
from .tracking import peer_trackers
from .tracking.people import people_of, photographs_of, share_alike

_DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
_PAGE: Final = Page()


def _clock_note(options: argparse.Namespace) -> str:
    return "" if options.clock == "wall" else ", time of the processors, not by the clock"


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
    )


def _frames(options: argparse.Namespace) -> None:
    measured = frames.measure(options.rounds, options.peers, options.image, options.clock)
    rows, titles = measured.rows, list(measured.rows[0].peers_ms)
    note = _clock_note(options)
    _PAGE.table(
        "Whole pipeline beside DeepFace's loop, ms per frame (times as fast as the loop with "
        f"vgg_stn / with compact, on one thread): image in memory to scores of all faces{note}",
        [
            "image",
            "faces",
            *(f"DeepFace + eager {name}" for name in rows[0].loop_ms),
            *(pipeline.title for pipeline in frames.PIPELINES),
        ],
        [
            [
                *_size_and_faces(row),
                *(f"{ms:.1f}" for ms in row.loop_ms.values()),
                *(
                    _beside_loop(row, pipeline, ms)
                    for pipeline, ms in zip(frames.PIPELINES, row.pipeline_ms, strict=True)
                ),
            ]
            for row in rows
        ],
    )
    _PAGE.table(
        "Detection, ms per frame: ours with min face 40 and 20, native and on ONNX Runtime "
        f"(ORT), others with their defaults or 40{note}",
        ["image", "faces", *titles, "ours 40", "ours 20", "ORT 40", "ORT 20", "found"],
        [
            [
                *_size_and_faces(row),
                *(f"{row.peers_ms[title]:.1f}" for title in titles),
                *(
                    f"{row.ours_ms[backend, size]:.2f}"
                    for backend in ("native", "onnxruntime")
                    for size in (40, 20)
                ),
                f"{row.found}{', NOT as DeepFace' if row.same_faces is False else ''}",
            ]
            for row in rows
        ],
    )
    _PAGE.table(
        "Detection, how many times as fast as each, at min face 40 / 20",
        ["image", "faces", *titles],
        [
            [
                *_size_and_faces(row),
                *(
                    " / ".join(
                        f"{row.peers_ms[title] / row.ours_ms['native', size]:.1f}x"
                        for size in (40, 20)
                    )
                    for title in titles
                ),
            ]
            for row in rows
        ],
    )
    _versions(measured.versions, measured.missing)


def _size_and_faces(row: frames.FrameRow) -> list[str]:
    return [f"{row.width}x{row.height}", str(row.faces)]


def _beside_loop(row: frames.FrameRow, pipeline: frames.Pipeline, ms: float) -> str:
    ratios = " / ".join(f"{loop_ms / ms:.1f}x" for loop_ms in row.loop_ms.values())
    goal = dict(pipeline.goals).get(row.faces)
    return f"{ms:.2f} ({ratios or 'no loop'}{f'; goal {goal}x' if goal else ''})"


def _versions(versions: Iterable[str], missing: Iterable[str]) -> None:
    """State what was compared with, and what was not."""
    if measured := "; ".join(versions):
        _PAGE.text(f"Compared with {measured}.")
    if absent := " ".join(missing):
        _PAGE.text(absent)


def _frontier(options: argparse.Namespace) -> None:
    if options.data is None:
        _PAGE.text("Accuracy over time a face skipped: give --data FOLDER of FER2013 with FER+")
        return
    found = frontier.measure(options.data, options.peers, options.pictures, options.clock)
    best = frontier.on_the_frontier(found.points)
    _PAGE.table(
        f"Accuracy over time a face: on {found.pictures} pictures of FER2013's `report`, seven "
        "classes by FER+'s votes, and time of one picture without detection; a frame is 640x480 "
        f"with one face, searched; in turn on every few pictures{_clock_note(options)}",
        ["", "accuracy %", "balanced %", "ms a face", "ms a frame", "on the frontier"],
        [
            [
                point.name,
                f"{100 * point.accuracy:.1f}",
                f"{100 * point.balanced:.1f}",
                f"{point.face_ms:.2f}",
                "" if point.frame_ms is None else f"{point.frame_ms:.1f}",
                "yes" if point in best else "no",
            ]
            for point in sorted(found.points, key=lambda point: -point.accuracy)
        ],
    )
    if options.page is not None:
        frontier.draw(found.points, _DOCS / "frontier.png", options.clock)
        _PAGE.text("![accuracy on report over milliseconds a face](frontier.png)")
    _PAGE.text(
        "Others were trained on FER2013's own labels or on other pictures, ours on FER+'s votes; "
        "each is given the whole picture, as its network was trained."
    )
    _versions([], found.missing)


def _recognizer(options: argparse.Namespace) -> None:
    _PAGE.table(
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
    rows = frames.measure_ours(options.rounds, options.image, options.clock)
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
    _PAGE.table(
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
    _PAGE.table(
        f"Camera process to EmotionArray, best effort at 30 Hz for {options.seconds:g} s",
        [
            "image",
            "faces",
            "model",
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
                row.model,
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


def _processes(options: argparse.Namespace) -> None:
    report = processes.measure()
    _PAGE.table(processes.TITLE, processes.COLUMNS, processes.rows(report))
    _PAGE.text(processes.summary(report))


def _idle(options: argparse.Namespace) -> None:
    _PAGE.table(idle.TITLE, idle.COLUMNS, idle.rows(idle.measure(options.seconds)))


def _cost(options: argparse.Namespace) -> None:
    models = cost_model.measure()
    cost_model.draw(models, _DOCS / "cost_model.png")
    _PAGE.table(
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
    _PAGE.table(
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
    _PAGE.table(
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
    if missing := peer_trackers.missing():
        peers = []
    source = "true boxes with noise" if options.simulated else "the node's detector"
    _PAGE.table(
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
    _versions([], [missing] if missing else [])


def _arm64(options: argparse.Namespace) -> None:
    if missing := arm64.missing_tools():
        _PAGE.text(f"Instructions on arm64 were not counted: {missing}.")
        return
    with tempfile.TemporaryDirectory() as folder:
        counts = arm64.measure(arm64.build(Path(folder)))
    _PAGE.table(
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
    "frames": _frames,
    "frontier": _frontier,
    "accuracy": _accuracy,
    "recognizer": _recognizer,
    "ceiling": _ceiling,
    "graph": _graph,
    "processes": _processes,
    "idle": _idle,
    "cost": _cost,
    "following": _following,
    "labels": _labels,
    "tracking": _tracking,
    "arm64": _arm64,
}
_DATA: Final = {
    "frontier": "--data FER2013",
    "following": "--clips CLIPS",
    "labels": "--clips CLIPS --photos PHOTOS",
    "tracking": "--photos PHOTOS",
}
"""The options with paths that a part needs, as in the printed command."""


def _command(name: str, options: argparse.Namespace) -> str:
    """Return the command that measures a part, without this machine's paths."""
    words = [name, *_DATA.get(name, "").split()]
    if options.clock != "wall":
        words += ["--clock", options.clock]
    if name == "frontier" and options.pictures:
        words += ["--pictures", str(options.pictures)]
    if name == "tracking" and options.simulated:
        words.append("--simulated")
    arguments = " ".join(words)
    return (
        f"make bench BENCH_ARGS={arguments}"
        if len(words) == 1
        else (f"make bench BENCH_ARGS='{arguments}'")
    )


def _image(text: str) -> tuple[int, int, int]:
    width, height, faces = map(int, text.replace("x", ":").split(":"))
    return width, height, faces


def main() -> None:
    """Run the selected benchmarks and print their tables."""
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)}")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds")
    parser.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="time to print for 'frames', 'frontier', 'ceiling': by the clock, or of the "
        "processors, where others compute too",
    )
    parser.add_argument("--data", type=Path, help="folder of FER2013 with FER+ for 'frontier'")
    parser.add_argument(
        "--pictures", type=int, default=0, help="of 'frontier', evenly drawn (default: all)"
    )
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
        help="of others, besides deepface; those that are not installed are named on the page",
    )
    parser.add_argument(
        "--page", type=Path, default=_DOCS / "benchmarks.md", help="to keep (default: %(default)s)"
    )
    parser.add_argument(
        "--print-only", dest="page", action="store_const", const=None, help="keep no page"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(_PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}: expected {', '.join(_PARTS)}")
    for name in options.parts or _PARTS:
        _PARTS[name](options)
        _PAGE.end(options.page, list(_PARTS), name, _command(name, options))


if __name__ == "__main__":
    main()
