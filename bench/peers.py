# SPDX-License-Identifier: Apache-2.0
"""Detectors of other packages, each in its own process and environment."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fer_perception.face import BoundingBox

from .peer_environment import peer_python, peer_variables


@dataclass(frozen=True)
class Peer:
    """A package to compare with.

    :ivar method: its name in :mod:`bench.peer_worker`.
    :ivar title: its name in the tables.
    :ivar environment: the name of its requirements.
    """

    method: str
    title: str
    environment: str


DEEPFACE = Peer("deepface", "DeepFace mtcnn, align", "bench-peers")
PEERS = (
    DEEPFACE,
    Peer("mtcnn", "mtcnn", "bench-peers"),
    Peer("facenet", "facenet-pytorch", "bench-peers-torch"),
    Peer("fer", "fer with emotions", "bench-peers-torch"),
    Peer("haar", "OpenCV Haar", "bench-peers"),
)


class PeerProcess:
    """A running peer."""

    def __init__(self, peer: Peer, process: "subprocess.Popen[str]") -> None:
        self.peer = peer
        self.process = process

    def detect(self, path: Path) -> tuple[float, list[BoundingBox]]:
        """Return (milliseconds, boxes) for an RGB image saved by NumPy.

        :raises RuntimeError: when the peer has ended.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps({"image": str(path)}), file=self.process.stdin, flush=True)
        for line in self.process.stdout:  # libraries print their own lines
            if line.startswith("answer "):
                answer = json.loads(line.removeprefix("answer "))
                return answer["ms"], [BoundingBox(*box) for box in answer["boxes"]]
        raise RuntimeError(f"{self.peer.title} ended with exit code {self.process.wait()}")


@contextmanager
def running(peers: Sequence[Peer]) -> Iterator[list[PeerProcess]]:
    """Start peers and stop them at the end."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    worker = Path(__file__).with_name("peer_worker.py")
    with ExitStack() as stack:
        started = []
        for peer in peers:
            process = subprocess.Popen(
                [peer_python(peer.environment), worker, peer.method],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=peer_variables() | quiet,
            )
            stack.callback(_end, process)
            started.append(PeerProcess(peer, process))
        yield started


def _end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
