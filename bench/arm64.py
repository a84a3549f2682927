# SPDX-License-Identifier: Apache-2.0
"""Run the native library on arm64, cross-compiled and emulated; count its instructions.

The emulator's time says nothing about a processor's. Its count of instructions is exact.
"""

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_perception.detection.mtcnn import MtcnnConfig
from fer_perception.detection.native_cascade import packed_layers
from fer_perception.face import RgbImage
from fer_perception.inference.native_convolutions import Convolution
from fer_perception.recognition.alignment import CROP_SIZE_PX
from fer_perception.recognition.model_store import load_model

from .test_images import with_faces
from .tested_model import FOLDER

INSTRUCTION_SETS: Final = ("generic", "neon")
"""Those that the library is compiled for on arm64."""

_PACKAGES: Final = {
    "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu",
    "qemu-aarch64-static": "qemu-user-static",
}
_COMPILER, _EMULATOR = _PACKAGES
_SYMBOLS: Final = "aarch64-linux-gnu-nm"
_HERE: Final = Path(__file__).resolve().parent
_NATIVE: Final = _HERE.parent / "ros2_ws/src/fer_perception/fer_perception/inference/native"
_FLAGS: Final = ("-std=c++17", "-O3", "-Wno-psabi", "-static", "-pthread")


@dataclass(frozen=True)
class InstructionCount:
    """Instructions that one task executes in the kernels on arm64, in 10^6.

    :ivar task: what is computed.
    :ivar millions: by instruction set.
    """

    task: str
    millions: dict[str, float]


def missing_tools() -> str:
    """Return why the library cannot be emulated here, or an empty string."""
    missing = [package for tool, package in _PACKAGES.items() if shutil.which(tool) is None]
    return f"without {' and '.join(missing)}" if missing else ""


@dataclass(frozen=True)
class Call:
    """A call of the library that the driver makes.

    :ivar mode: ``layer``, ``convolutions`` or ``cascade``.
    :ivar arrays: what the driver reads, in its order.
    """

    mode: str
    arrays: Sequence[NDArray[Any]]

    def sent(self) -> bytes:
        """Return what the driver reads from its standard input."""
        return b"".join(
            np.int32(array.nbytes).tobytes() + array.tobytes() for array in self.arrays
        )


def layer(
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    slopes: NDArray[np.float32],
    pixels: NDArray[np.float32],
) -> Call:
    """Return the call for a convolution without padding and a PReLU.

    The result is as wide as the input; its last columns are of no use.

    :param kernel: outputs x inputs x height x width.
    :param pixels: height x width x inputs.
    """
    outputs, inputs, height, width = kernel.shape
    padding = (0, -outputs % 16)
    parts = [
        np.pad(kernel.transpose(2, 3, 1, 0).reshape(-1, outputs), ((0, 0), padding)),
        np.pad(bias, padding),
        np.pad(slopes, padding),
    ]
    return Call(
        "layer",
        [
            np.concatenate([part.ravel() for part in parts]).astype(np.float32),
            np.array([height, width, inputs, outputs], np.int32),
            np.array([pixels.shape[0] - height + 1, pixels.shape[1]], np.int32),
            pixels.astype(np.float32),
        ],
    )


def convolutions(layers: Sequence[Convolution], maps: NDArray[np.float32]) -> Call:
    """Return the call for a chain of padded 3 x 3 convolutions.

    :param maps: count x height x width x inputs; the result is laid out likewise.
    """
    count, height, width, _ = maps.shape
    halvings = sum(each.pooled for each in layers)
    outputs = count * (height >> halvings) * (width >> halvings) * len(layers[-1].bias)
    weights = [
        array.ravel()
        for each in layers
        for array in (each.kernel.transpose(2, 3, 1, 0), each.bias)
    ]
    shapes = [(*each.kernel.shape[1::-1], each.pooled) for each in layers]
    return Call(
        "convolutions",
        [
            np.concatenate(weights).astype(np.float32),
            np.array(shapes, np.int32),
            np.array([height, width, count, outputs], np.int32),
            maps.astype(np.float32),
        ],
    )


def search(image: RgbImage, config: MtcnnConfig) -> Call:
    """Return the call for a search of ``image``; one row per face."""
    weights, shapes = packed_layers()
    limits = (config.min_face_px, config.scale_factor, *config.thresholds)
    return Call(
        "cascade",
        [
            weights,
            shapes,
            np.array(image.shape[:2], np.int32),
            image,
            np.array(limits, np.float32),
        ],
    )


def build(folder: Path) -> Path:
    """Compile library and driver for arm64 into ``folder``; return the program.

    :raises subprocess.CalledProcessError: when the compiler fails.
    """
    program = folder / "arm64_driver"
    sources = [_HERE / "arm64_driver.cpp", *sorted(_NATIVE.glob("*.cpp"))]
    subprocess.run(
        [_COMPILER, *_FLAGS, "-I", _NATIVE, *sources, "-o", program], check=True, timeout=120
    )
    return program


def run(program: Path, instructions: str, call: Call) -> NDArray[np.float32]:
    """Return what ``call`` computes with one of :data:`INSTRUCTION_SETS`, in one row.

    :raises subprocess.CalledProcessError: when the program fails.
    """
    done = subprocess.run(
        [_EMULATOR, program, instructions, call.mode, "1"],
        input=call.sent(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return np.frombuffer(done.stdout, np.float32)


def executed(program: Path, instructions: str, call: Call) -> int:
    """Count the instructions of ``call`` in one instruction set's kernels.

    They are counted in the emulator's log of the blocks that it translates and executes.
    """
    sizes: dict[bytes, int] = {}
    executions: Counter[bytes] = Counter()
    block = b""
    filters = ["-dfilter", _kernels(program, instructions), "-d", "in_asm,exec,nochain"]
    with tempfile.TemporaryFile() as arrays:
        arrays.write(call.sent())
        arrays.seek(0)
        with subprocess.Popen(
            [_EMULATOR, *filters, program, instructions, call.mode, "1"],
            stdin=arrays,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as emulator:
            assert emulator.stderr is not None
            for line in emulator.stderr:
                if line.startswith(b"Trace"):
                    executions[line.split(b"/", 2)[1]] += 1
                elif line.startswith(b"IN:"):
                    block = b""
                elif line.startswith(b"0x"):
                    address = line[2 : line.index(b":")].rjust(16, b"0")
                    block = block or address
                    sizes[block] = sizes[block] + 1 if address != block else 1
    if emulator.returncode:
        raise RuntimeError(f"{_EMULATOR} ended with code {emulator.returncode}")
    return sum(times * sizes[address] for address, times in executions.items())


def _kernels(program: Path, instructions: str) -> str:
    """Return the address ranges of an instruction set's functions."""
    symbols = subprocess.run(
        [_SYMBOLS, "--print-size", "--demangle", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    found = re.findall(rf"^(\w+) (\w+) t .*fer::.*::{instructions}::", symbols, re.MULTILINE)
    return ",".join(f"0x{start}+0x{size}" for start, size in found)


def measure(program: Path) -> list[InstructionCount]:
    """Count what a search and the recogniser's convolutions execute."""
    split = load_model(FOLDER).split
    assert split is not None
    layers = split.convolutions()
    face = np.zeros((1, CROP_SIZE_PX, CROP_SIZE_PX, layers[0].kernel.shape[1]), np.float32)
    tasks = {
        "search of 320x240 with one face": search(with_faces(320, 240, 1), MtcnnConfig()),
        "recogniser's convolutions for one face": convolutions(layers, face),
    }
    return [
        InstructionCount(
            task, {name: 1e-6 * executed(program, name, call) for name in INSTRUCTION_SETS}
        )
        for task, call in tasks.items()
    ]
