# SPDX-License-Identifier: Apache-2.0
"""Time other packages in the peers' environments; run by :mod:`bench.peers`.

``peer_worker.py METHOD`` prints ``ready`` with its version and answers each line of JSON:

- ``{"image": path of an RGB image, .npy}`` with ``{"ms": ..., "cpu_ms": ..., "boxes": [[x, y,
  width, height], ...]}``;
- ``{"crops": path of N x 48 x 48 grey pictures, .npy}`` with ``{"ms": [...], "cpu_ms": [...],
  "labels": [...]}``: classes in the order of :data:`fer_perception.emotions.EMOTIONS`.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

Boxes = list[list[float]]
Detect = Callable[[Any], Boxes]
Classify = Callable[[Any], int]

# FER+'s order, and ours; contempt comes last.
_FERPLUS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")


def deepface() -> Detect:
    """Return DeepFace's MTCNN with alignment, as its users call it."""
    from deepface import DeepFace  # type: ignore[import-not-found]

    def detect(bgr: Any) -> Boxes:
        found = DeepFace.extract_faces(
            bgr, detector_backend="mtcnn", align=True, enforce_detection=False
        )
        areas = [entry["facial_area"] for entry in found if entry["confidence"]]
        return [[area[key] for key in "xywh"] for area in areas]

    return detect


def mtcnn() -> Detect:
    """Return the package mtcnn, at its own smallest face of 20 pixels."""
    from mtcnn import MTCNN  # type: ignore[import-not-found]

    detector = MTCNN()
    return lambda bgr: [
        entry["box"] for entry in detector.detect_faces(np.ascontiguousarray(bgr[:, :, ::-1]))
    ]


def haar() -> Detect:
    """Return OpenCV's Haar cascade, with faces of 40 pixels and more."""
    import cv2

    folder: str = cv2.data.haarcascades  # type: ignore[attr-defined]
    cascade = cv2.CascadeClassifier(folder + "haarcascade_frontalface_default.xml")

    def detect(bgr: Any) -> Boxes:
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        found = cascade.detectMultiScale(grey, 1.1, 5, minSize=(40, 40))
        return [list(map(float, box)) for box in found]

    return detect


def facenet() -> Detect:
    """Return facenet-pytorch's MTCNN, with faces of 40 pixels and more."""
    from facenet_pytorch import MTCNN  # type: ignore[import-not-found]

    detector = MTCNN(keep_all=True, min_face_size=40, device="cpu")

    def detect(bgr: Any) -> Boxes:
        found, _ = detector.detect(np.ascontiguousarray(bgr[:, :, ::-1]))
        corners = [] if found is None else found.tolist()
        return [[left, top, right - left, bottom - top] for left, top, right, bottom in corners]

    return detect


def _fer() -> Any:
    from fer.fer import FER  # type: ignore[import-not-found]

    return FER()


def fer() -> Detect:
    """Return the package fer with its default detector, a Haar cascade, and emotions."""
    detector = _fer()
    return lambda bgr: [list(map(float, entry["box"])) for entry in detector.detect_emotions(bgr)]


def fer_emotions() -> Classify:
    """Return the emotion network of the package fer, which was trained on whole pictures."""
    detector = _fer()

    def classify(grey: Any) -> int:
        # It adds ten pixels on each side.
        height, width = grey.shape
        box = (10, 10, width - 20, height - 20)
        [face] = detector.detect_emotions(np.stack([grey] * 3, axis=-1), face_rectangles=[box])
        emotions: dict[str, float] = face["emotions"]
        return _FERPLUS.index(max(emotions, key=lambda name: emotions[name]))

    return classify


def yunet() -> Detect:
    """Return OpenCV's YuNet with the weights of the file FER_BENCH_YUNET."""
    import cv2

    detector = cv2.FaceDetectorYN.create(os.environ["FER_BENCH_YUNET"], "", (320, 320), 0.7)

    def detect(bgr: Any) -> Boxes:
        detector.setInputSize(bgr.shape[1::-1])
        _, found = detector.detect(bgr)
        return [] if found is None else found[:, :4].tolist()

    return detect


def emotion_onnx() -> Classify:
    """Return the network of the file FER_BENCH_EMOTION_ONNX.

    It takes one grey picture, 1 x 1 x height x width, of grey levels up to 255, and returns FER+'s
    classes, as FER+'s own network in ONNX's model zoo.
    """
    import cv2
    import onnxruntime

    session = onnxruntime.InferenceSession(
        os.environ["FER_BENCH_EMOTION_ONNX"], providers=["CPUExecutionProvider"]
    )
    [entry] = session.get_inputs()
    height, width = entry.shape[2:]

    def classify(grey: Any) -> int:
        scaled = cv2.resize(grey, (width, height)).astype(np.float32)
        [logits] = session.run(None, {entry.name: scaled[None, None]})
        label = int(logits.argmax())
        return label if label < len(_FERPLUS) else -1

    return classify


DETECT = {method.__name__: method for method in (deepface, mtcnn, haar, facenet, fer, yunet)}
CLASSIFY = {"fer": fer_emotions, "emotion_onnx": emotion_onnx}
_PACKAGES = {
    "deepface": "deepface",
    "mtcnn": "mtcnn",
    "facenet": "facenet-pytorch",
    "fer": "fer",
    "haar": "opencv-python-headless",
    "yunet": "opencv-python-headless",
    "emotion_onnx": "onnxruntime",
}


def _timed(call: Callable[[Any], Any], argument: Any) -> tuple[float, float, Any]:
    start, cpu = time.perf_counter(), time.process_time()
    result = call(argument)
    return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu), result


def _detected(detect: Detect, path: str) -> dict[str, Any]:
    image = np.ascontiguousarray(np.load(path)[:, :, ::-1])
    ms, cpu_ms, boxes = _timed(detect, image)
    return {"ms": ms, "cpu_ms": cpu_ms, "boxes": [[float(v) for v in box] for box in boxes]}


def _classified(classify: Classify, path: str) -> dict[str, Any]:
    results = [_timed(classify, grey) for grey in np.load(path)]
    ms, cpu_ms, labels = zip(*results, strict=True)
    return {"ms": ms, "cpu_ms": cpu_ms, "labels": labels}


def main() -> None:
    """Answer requests until the input ends."""
    method = sys.argv[1]
    detect = DETECT[method]() if method in DETECT else None
    classify = CLASSIFY[method]() if method in CLASSIFY else None
    package = _PACKAGES[method]
    print("ready " + json.dumps(f"{package} {version(package)}"), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "image" in request:
            assert detect is not None
            answer = _detected(detect, request["image"])
        else:
            assert classify is not None
            answer = _classified(classify, request["crops"])
        print("answer " + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
