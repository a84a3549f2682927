# SPDX-License-Identifier: Apache-2.0
"""The native library compiled for arm64 and emulated, beside NumPy and this processor."""

import cv2
import numpy as np
import pytest

from bench import arm64
from bench.test_images import with_faces
from fer_perception.detection.mtcnn import MtcnnConfig
from fer_perception.detection.native_cascade import NativeCascade
from fer_perception.inference import native_library
from fer_perception.inference.native_convolutions import Convolution

TOLERANCE = 1e-4

pytestmark = pytest.mark.skipif(
    bool(arm64.missing_tools()),
    reason=f"{arm64.missing_tools()}: nothing was computed on an emulated arm64 processor",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return arm64.build(tmp_path_factory.mktemp("arm64"))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(params=arm64.INSTRUCTION_SETS)
def instructions(request):
    return request.param


def _convolved(pixels, kernel, bias):
    """Return a convolution without padding: height x width x outputs."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, kernel.shape[2:], (0, 1))
    return np.einsum("hwiyx,oiyx->hwo", windows, kernel, dtype=np.float64) + bias


# Inputs and outputs as in P-Net, R-Net and O-Net: 1, 2 and 3 values beyond whole vectors, outputs
# that are padded, fewer positions than are computed at once.
@pytest.mark.parametrize(
    ("inputs", "outputs", "side", "height", "width"),
    [(3, 10, 3, 12, 17), (10, 16, 3, 7, 9), (32, 6, 1, 1, 3), (48, 64, 2, 4, 4), (9, 28, 3, 6, 8)],
)
def test_a_layer_of_the_cascade_is_as_numpy_computes_it(
    program, instructions, inputs, outputs, side, height, width, rng
):
    kernel = rng.normal(0, (side * side * inputs) ** -0.5, (outputs, inputs, side, side))
    bias, slopes = rng.normal(0, 0.3, (2, outputs))
    pixels = rng.normal(0, 1, (height, width, inputs))
    sums = _convolved(pixels, kernel, bias)
    expected = np.where(sums > 0, sums, sums * slopes)
    call = arm64.layer(kernel, bias, slopes, pixels)
    rows = arm64.run(program, instructions, call).reshape(-1, width, outputs)
    np.testing.assert_allclose(rows[:, : expected.shape[1]], expected, atol=TOLERANCE)


@pytest.mark.parametrize(("height", "width"), [(13, 22), (6, 5)])
def test_the_recognisers_convolutions_are_as_numpy_computes_them(
    program, instructions, height, width, rng
):
    layers = [
        Convolution(
            rng.normal(0, (9 * inputs) ** -0.5, (outputs, inputs, 3, 3)),
            rng.normal(0, 0.3, outputs),
            pooled,
        )
        for inputs, outputs, pooled in [(3, 48, False), (48, 16, True), (16, 80, False)]
    ]
    maps = rng.normal(0, 1, (3, height, width, 3))
    expected = []
    for pixels in maps:
        for layer in layers:
            bordered = np.pad(pixels, ((1, 1), (1, 1), (0, 0)))
            pixels = np.maximum(_convolved(bordered, layer.kernel, layer.bias), 0)
            if layer.pooled:
                rows, columns = (side // 2 for side in pixels.shape[:2])
                whole = pixels[: 2 * rows, : 2 * columns]
                pixels = whole.reshape(rows, 2, columns, 2, -1).max(axis=(1, 3))
        expected.append(pixels)
    found = arm64.run(program, instructions, arm64.convolutions(layers, maps))
    np.testing.assert_allclose(found, np.ravel(expected), atol=TOLERANCE)


@pytest.mark.skipif(
    not native_library.is_built(),
    reason="built without a C++ compiler: no cascade to compare that on arm64 with",
)
def test_the_cascade_finds_the_same_faces_as_on_this_processor(program, instructions):
    image = with_faces(320, 120, 1)
    image = np.hstack([image[:, :160], cv2.resize(image, (160, 120))])
    config = MtcnnConfig(min_face_px=24)
    expected = NativeCascade("generic").detect(
        image, config.min_face_px, config.scale_factor, config.thresholds
    )
    assert len(expected) >= 1
    found = arm64.run(program, instructions, arm64.search(image, config)).reshape(expected.shape)
    scale = np.full(expected.shape[1], max(image.shape))
    scale[4] = 1  # the probability
    np.testing.assert_allclose(found / scale, expected / scale, atol=TOLERANCE)


def test_neon_takes_fewer_instructions_than_generic_vectors(program, rng):
    kernel, bias = rng.normal(0, 0.1, (32, 32, 3, 3)), np.zeros(32)
    call = arm64.convolutions([Convolution(kernel, bias, pooled=False)], np.ones((1, 12, 12, 32)))
    generic, neon = (arm64.executed(program, name, call) for name in arm64.INSTRUCTION_SETS)
    assert 0 < neon < 0.8 * generic
