# SPDX-License-Identifier: Apache-2.0
"""Time other packages' detectors in the peers' environments; run by :mod:`bench.peers`.

``peer_worker.py METHOD`` reads lines of JSON ({"image": path of a .npy file, RGB}) and answers
each with one: {"ms": time of the call, "boxes": [[x, y, width, height], ...]}.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Boxes = list[list[float]]


def deepface() -> Callable[[Any], Boxes]:
    """Return DeepFace's MTCNN with alignment, as its users call it."""
    from deepface import DeepFace  # type: ignore[import-not-found]

    def detect(bgr: Any) -> Boxes:
        found = DeepFace.extract_faces(
            bgr, detector_backend="mtcnn", align=True, enforce_detection=False
        )
        areas = [entry["facial_area"] for entry in found if entry["confidence"]]
        return [[area[key] for key in "xywh"] for area in areas]

    return detect


def mtcnn() -> Callable[[Any], Boxes]:
    """Return the package mtcnn, at its own smallest face of 20 pixels."""
    from mtcnn import MTCNN  # type: ignore[import-not-found]

    detector = MTCNN()
    return lambda bgr: [
        entry["box"] for entry in detector.detect_faces(np.ascontiguousarray(bgr[:, :, ::-1]))
    ]


def haar() -> Callable[[Any], Boxes]:
    """Return OpenCV's Haar cascade, with faces of 40 pixels and more."""
    import cv2

    folder: str = cv2.data.haarcascades  # type: ignore[attr-defined]
    cascade = cv2.CascadeClassifier(folder + "haarcascade_frontalface_default.xml")

    def detect(bgr: Any) -> Boxes:
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        found = cascade.detectMultiScale(grey, 1.1, 5, minSize=(40, 40))
        return [list(map(float, box)) for box in found]

    return detect


def facenet() -> Callable[[Any], Boxes]:
    """Return facenet-pytorch's MTCNN, with faces of 40 pixels and more."""
    from facenet_pytorch import MTCNN  # type: ignore[import-not-found]

    detector = MTCNN(keep_all=True, min_face_size=40, device="cpu")

    def detect(bgr: Any) -> Boxes:
        found, _ = detector.detect(np.ascontiguousarray(bgr[:, :, ::-1]))
        corners = [] if found is None else found.tolist()
        return [[left, top, right - left, bottom - top] for left, top, right, bottom in corners]

    return detect


def fer() -> Callable[[Any], Boxes]:
    """Return the package fer with MTCNN: detection and emotions."""
    # PyTorch's compiler for GPUs and TensorFlow cannot be loaded into one process.
    sys.modules["triton"] = None  # type: ignore[assignment]
    from fer.fer import FER  # type: ignore[import-not-found]

    detector = FER(mtcnn=True)
    return lambda bgr: [list(map(float, entry["box"])) for entry in detector.detect_emotions(bgr)]


METHODS = {method.__name__: method for method in (deepface, mtcnn, haar, facenet, fer)}


def main() -> None:
    """Answer requests until the input ends."""
    detect = METHODS[sys.argv[1]]()
    for line in sys.stdin:
        image = np.ascontiguousarray(np.load(json.loads(line)["image"])[:, :, ::-1])
        start = time.perf_counter()
        boxes = detect(image)
        elapsed_ms = 1e3 * (time.perf_counter() - start)
        boxes = [[float(value) for value in box] for box in boxes]
        print("answer " + json.dumps({"ms": elapsed_ms, "boxes": boxes}), flush=True)


if __name__ == "__main__":
    main()
