# SPDX-License-Identifier: Apache-2.0
"""Packages of others, each in its own process and environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_perception.face import BoundingBox

from .peer_environment import environment, peer_python, peer_variables
from .stopwatch import Time

_NODE: Final = "bench-peers-node"
_WORKERS: Final = Path(__file__).parent
_QUIET: Final = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


@dataclass(frozen=True)
class Peer:
    """A package to compare with.

    :ivar method: its name in :mod:`bench.peer_worker`.
    :ivar title: its name in the tables.
    :ivar environment: of :mod:`.peer_environment`; empty for ours.
    :ivar file: the variable with the path of a file that the peer needs and no package brings.
    :ivar classifies: whether it recognises expressions.
    :ivar detects: whether it finds faces.
    """

    method: str
    title: str
    environment: str = ""
    file: str = ""
    classifies: bool = False
    detects: bool = True

    def missing(self) -> str:
        """Return what the peer lacks on this machine; empty if nothing."""
        if self.file and not Path(os.environ.get(self.file, "")).is_file():
            return f"{self.file} names no file"
        if not self.environment:
            return ""
        present = environment(self.environment)
        if not any((present / name).exists() for name in ("bin/python", "node_modules")):
            return f"{self.environment} is not installed"
        return ""

    def command(self) -> list[str]:
        """Return the command of its process."""
        if self.environment == _NODE:
            return ["node", str(_WORKERS / "face_api_worker.cjs")]
        python = peer_python(self.environment) if self.environment else Path(sys.executable)
        return [str(python), str(_WORKERS / "peer_worker.py"), self.method]


DEEPFACE = Peer("deepface", "DeepFace mtcnn, align", "bench-peers")
PEERS = (
    DEEPFACE,
    Peer("mtcnn", "mtcnn", "bench-peers"),
    Peer("facenet", "facenet-pytorch", "bench-peers-torch"),
    Peer("fer", "fer with emotions", "bench-peers-torch", classifies=True),
    Peer("face_api", "face-api with emotions", _NODE, classifies=True),
    Peer("haar", "OpenCV Haar", "bench-peers"),
    Peer("yunet", "OpenCV YuNet", file="FER_BENCH_YUNET"),
    Peer(
        "emotion_onnx",
        "emotion network of FER_BENCH_EMOTION_ONNX",
        file="FER_BENCH_EMOTION_ONNX",
        classifies=True,
        detects=False,
    ),
)


class PeerProcess:
    """A running peer.

    :ivar version: of its package, known by :meth:`wait`.
    :raises OSError: when its program is missing.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        # Open as long as the process.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            peer.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=peer_variables()
            | _QUIET
            | {"NODE_PATH": str(environment(_NODE) / "node_modules")},
        )
        self.version = ""

    def wait(self) -> None:
        """Wait until it is ready.

        :raises RuntimeError: when it does not start.
        """
        self.version = self._answer("ready ")

    def detect(self, path: Path) -> tuple[Time, list[BoundingBox]]:
        """Return the time and boxes for an RGB image saved by NumPy.

        :raises RuntimeError: when the peer has ended.
        """
        answer = self._ask({"image": str(path)})
        boxes = [BoundingBox(*box) for box in answer["boxes"]]
        return Time(answer["ms"], answer["cpu_ms"]), boxes

    def classify(self, path: Path) -> tuple[list[Time], NDArray[np.int64]]:
        """Return the time and class of each grey crop, saved by NumPy.

        :returns: classes in our order; -1 for one that we lack.
        :raises RuntimeError: when the peer has ended.
        """
        answer = self._ask({"crops": str(path)})
        times = [Time(*pair) for pair in zip(answer["ms"], answer["cpu_ms"], strict=True)]
        return times, np.array(answer["labels"], np.int64)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._errors.close()

    def _ask(self, request: dict[str, str]) -> Any:
        stdin: IO[str] | None = self._process.stdin
        assert stdin is not None
        print(json.dumps(request), file=stdin, flush=True)
        return self._answer("answer ")

    def _answer(self, prefix: str) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:  # libraries print their own lines
            if line.startswith(prefix):
                return json.loads(line.removeprefix(prefix))
        code = self._process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        reason = lines[-1] if lines else f"exit code {code}"
        raise RuntimeError(f"{self.peer.title} ended: {reason}")


@dataclass(frozen=True)
class Peers:
    """The peers that run, and why others do not.

    :ivar missing: sentences, one for each peer.
    """

    running: Sequence[PeerProcess]
    missing: Sequence[str]


@contextmanager
def running(peers: Sequence[Peer]) -> Iterator[Peers]:
    """Start those of ``peers`` that are installed, and stop them at the end."""
    with ExitStack() as stack:
        starting, started, missing = [], [], []
        for peer in peers:
            if reason := peer.missing():
                missing.append(f"{peer.title} is missing: {reason}.")
                continue
            try:
                process = PeerProcess(peer)
            except OSError as error:
                missing.append(f"{peer.title} does not start: {error}.")
                continue
            stack.callback(process.close)
            starting.append(process)
        for process in starting:
            try:
                process.wait()
            except RuntimeError as error:
                missing.append(f"{error}.")
                continue
            started.append(process)
        yield Peers(started, missing)
