# SPDX-License-Identifier: Apache-2.0
"""Compare the multiply-adds of a frame with the peak of one core."""

import time
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from fer_perception.detection.mtcnn import MtcnnConfig
from fer_perception.detection.onnx_cascade import PNET_CELL_PX, OnnxCascade
from fer_perception.face import RgbImage
from fer_perception.images.pyramid import ImagePyramid, pyramid_scales
from fer_perception.inference.onnx_session import open_session
from fer_perception.recognition.model_store import load_model

from .tested_model import FOLDER

_ROUNDS = 60
# Of a typical convolution of the recogniser: channels and side of the map.
_CHANNELS, _SIDE = 128, 24
_RNET_MAC, _ONET_MAC = 1.53e6, 12.9e6


@dataclass(frozen=True)
class Ceiling:
    """Peak of one core, in 10^9 floating-point operations per second.

    A multiply-add counts as two operations.

    :ivar float32_gflops: a 3x3 convolution of 128 channels on ONNX Runtime, the best of many.
    """

    float32_gflops: float


@dataclass(frozen=True)
class Work:
    """Multiply-adds of a frame at min face 40, in 10^6.

    :ivar detection: P-Net on all scales, R-Net and O-Net on the candidates of this image.
    :ivar recognition: the emotion network, for each face.
    """

    detection: float
    recognition: float


def measure() -> Ceiling:
    """Measure the ceiling, with one thread."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(_CHANNELS, _CHANNELS, 3, 3)).astype(np.float32)
    shape = (1, _CHANNELS, _SIDE, _SIDE)
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    graph = helper.make_graph(
        [node],
        "convolution",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    session: onnxruntime.InferenceSession = open_session(model.SerializeToString(), threads=1)
    x = rng.normal(size=shape).astype(np.float32)
    convolution_s = min(_seconds(lambda: session.run(None, {"x": x})) for _ in range(_ROUNDS))
    return Ceiling(2e-9 * weights.size * _SIDE * _SIDE / convolution_s)


def _seconds(call: object) -> float:
    assert callable(call)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def work(image: RgbImage) -> Work:
    """Return the multiply-adds of ``image``."""
    config = MtcnnConfig()
    scales = pyramid_scales(image.shape, config.min_face_px, PNET_CELL_PX, config.scale_factor)
    total = 0.0
    for scale in scales:
        height, width = (round(side * scale) for side in image.shape[:2])
        rows, columns = (height - 1) // 2, (width - 1) // 2  # of the map after the pool
        total += (height - 2) * (width - 2) * 27 * 10
        total += (rows - 2) * (columns - 2) * 90 * 16
        total += (rows - 4) * (columns - 4) * (144 * 32 + 32 * 6)
    cascade, pyramid = OnnxCascade(), ImagePyramid(image)
    squares = cascade.propose(
        pyramid, config.min_face_px, config.scale_factor, config.thresholds[0]
    )
    total += len(squares) * _RNET_MAC
    squares = cascade.reject(pyramid, squares, config.thresholds[1])
    total += len(cascade.inspect(pyramid, squares)) * _ONET_MAC
    return Work(1e-6 * total, 1e-6 * _recognizer_multiply_adds())


def _recognizer_multiply_adds() -> float:
    """Count multiply-adds of convolutions, fully connected layers and attention."""
    model = onnx.load_from_string(load_model(FOLDER).graph)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        info.name: [d.dim_value for d in info.type.tensor_type.shape.dim]
        for info in [*inferred.value_info, *inferred.output]
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in inferred.initializer}
    total = 0
    for node in inferred.node:
        if node.op_type in ("Conv", "Gemm"):
            output, weights = shapes[node.output[0]], shapes[node.input[1]]
            total += int(np.prod(output)) * int(np.prod(weights[1:]))
        elif node.op_type == "MatMul" and all(name in shapes for name in node.input):
            total += int(np.prod(shapes[node.output[0]])) * shapes[node.input[0]][-1]
    return float(total)
