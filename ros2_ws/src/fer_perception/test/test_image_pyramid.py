# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.images.pyramid import ImagePyramid, pyramid_scales


def _ramp(width, height):
    """An image whose value says where a pixel is: red grows with x, green with y."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width)[None]
    image[..., 1] = np.linspace(0, 255, height)[:, None]
    return image


@pytest.mark.parametrize("scale", [1.0, 0.7, 0.5, 0.3, 0.11])
def test_scaled_image_shows_the_whole_image(scale):
    image = _ramp(320, 240)
    scaled = ImagePyramid(image).scaled(scale)
    assert scaled.shape[:2] == (round(240 * scale), round(320 * scale))
    expected = cv2.resize(image, scaled.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(scaled.astype(int) - expected).max() <= 4


@pytest.mark.parametrize("side", [10.0, 24.0, 90.0, 210.0])
def test_squares_show_what_lies_under_them(side):
    image = _ramp(320, 240)
    left, top = 30.0, 17.0
    boxes = np.array([[left, top, left + side, top + side]], np.float32)
    [crop] = ImagePyramid(image).squares(boxes, 24)
    assert crop.shape == (24, 24, 3)
    center_x, center_y = left + side / 2 - 0.5, top + side / 2 - 0.5
    assert crop[..., 0].mean() == pytest.approx(center_x / 319 * 255, abs=1.5)
    assert crop[..., 1].mean() == pytest.approx(center_y / 239 * 255, abs=1.5)


def test_outside_is_black():
    white = np.full((48, 48), 255, np.uint8)
    boxes = np.array([[-24.0, 0.0, 24.0, 48.0], [100.0, 100.0, 150.0, 150.0]], np.float32)
    partly, fully = ImagePyramid(white).squares(boxes, 10)
    assert (partly[:, :4] == 0).all() and (partly[:, 6:] == 255).all()
    assert not fully.any()


@pytest.mark.parametrize("width", [321, 333, 347])
def test_odd_sizes_do_not_shift_what_is_far_from_the_origin(width):
    image = np.zeros((200, width), np.uint8)
    image[120:136, 280:296] = 255
    boxes = np.array([[224.0, 64.0, 352.0, 192.0]], np.float32)
    [crop] = ImagePyramid(image).squares(boxes, 16)
    rows, columns = np.nonzero(crop > 127)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (7, 8, 7, 8)


def test_fine_detail_does_not_alias():
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::2] = 255
    boxes = np.array([[0.0, 0.0, 256.0, 256.0]], np.float32)
    [crop] = ImagePyramid(stripes).squares(boxes, 24)
    assert np.abs(crop.astype(int) - 127).max() <= 8


@given(width=st.integers(1, 3000), height=st.integers(1, 3000), min_face=st.floats(12.0, 400.0))
def test_scales_fit_faces_from_the_smallest_to_the_whole_image(width, height, min_face):
    scales = pyramid_scales((height, width, 3), min_face, 12, 0.709)
    assert scales == sorted(scales, reverse=True)
    if min(width, height) >= min_face:
        assert 12 / scales[0] == pytest.approx(min_face)
        assert (
            min(width, height) * scales[-1] * 0.709 < 12 <= min(width, height) * scales[-1] + 1e-9
        )
    else:
        assert not scales
