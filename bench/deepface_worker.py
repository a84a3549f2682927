# SPDX-License-Identifier: Apache-2.0
"""Times DeepFace's MTCNN in the peers' environment; run by :mod:`bench.detection`.

Reads lines of JSON ({"image": path of a .npy file, RGB}) and answers each with one:
{"ms": time of the call, "boxes": [[x, y, width, height], ...]}.
"""

import json
import sys
import time

import numpy as np
from deepface import DeepFace  # type: ignore[import-not-found]


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        image = np.ascontiguousarray(np.load(json.loads(line)["image"])[:, :, ::-1])
        start = time.perf_counter()
        found = DeepFace.extract_faces(
            image, detector_backend="mtcnn", align=True, enforce_detection=False
        )
        elapsed_ms = 1e3 * (time.perf_counter() - start)
        areas = [entry["facial_area"] for entry in found if entry["confidence"]]
        boxes = [[area[key] for key in "xywh"] for area in areas]
        print("answer " + json.dumps({"ms": elapsed_ms, "boxes": boxes}), flush=True)


if __name__ == "__main__":
    main()
