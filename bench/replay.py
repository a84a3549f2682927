# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of the offline evaluation of a long bag.

``python -m bench.replay [MINUTES]`` writes a bag of small images at 30 Hz to a temporary folder
(one hour by default), evaluates it in a separate process, and prints the memory of that process
over time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from fer_evaluation.bags.bag_images import COMPRESSED_TYPE
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.message_types import MessageTypes
from fer_perception.face import RgbImage
from fer_perception.images.frame_source import PortraitSource

RATE_HZ = 30
SIZE = (128, 96)
"""Of the images: width, height [px]."""
# Seconds of each minute with a face.
PRESENT_S = 20
REPORT_PERIOD_S = 20.0


def write_bag(path: Path, minutes: float) -> int:
    """Write the bag and return its number of images."""
    types = MessageTypes()
    classes = types.typestore.types
    portrait = PortraitSource(*SIZE)
    faces = [_jpeg(portrait.read()) for _ in range(300)]
    empty = _jpeg(np.full((SIZE[1], SIZE[0], 3), 96, np.uint8))
    count = round(minutes * 60 * RATE_HZ)
    with BagWriter(path, types) as bag:
        bag.add_topic("/camera/image_raw/compressed", COMPRESSED_TYPE)
        for n in range(count):
            stamp_ns = 10**9 + n * 10**9 // RATE_HZ
            time_message = classes["builtin_interfaces/msg/Time"](
                sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
            )
            header = classes["std_msgs/msg/Header"](stamp=time_message, frame_id="camera")
            present = n / RATE_HZ % 60 < PRESENT_S
            data = faces[n % len(faces)] if present else empty
            message = classes[COMPRESSED_TYPE](header=header, format="jpeg", data=data)
            bag.write_message("/camera/image_raw/compressed", stamp_ns, message)
    return count


def _jpeg(image: RgbImage) -> RgbImage:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return data.reshape(-1)


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process [MiB]."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024.0
    return float("nan")


def main(minutes: float = 60.0) -> int:
    """Run the measurement."""
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder, "hour")
        count = write_bag(bag, minutes)
        print(f"{count} images of {SIZE[0]}x{SIZE[1]}, {minutes:g} minutes at {RATE_HZ} Hz")
        command = [sys.executable, "-m", "fer_evaluation.evaluate_bag", str(bag)]
        command += ["--out", str(Path(folder, "out")), "--quiet"]
        start_s = time.monotonic()
        process = subprocess.Popen(command)
        while process.poll() is None:
            print(f"{time.monotonic() - start_s:6.0f} s {resident_mib(process.pid):8.1f} MiB")
            sys.stdout.flush()
            try:
                process.wait(REPORT_PERIOD_S)
            except subprocess.TimeoutExpired:
                continue
        elapsed_s = time.monotonic() - start_s
        print(f"{elapsed_s:.0f} s: {60.0 * minutes / elapsed_s:.1f} times as fast as real time")
        return process.returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=60.0, help="(%(default)g)")
    sys.exit(main(parser.parse_args().minutes))
