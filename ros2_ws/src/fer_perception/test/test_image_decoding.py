# SPDX-License-Identifier: Apache-2.0
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_perception.images.decoding import ENCODINGS, ImageError, decode_compressed, decode_image

WIDTH, HEIGHT = 8, 6


@pytest.fixture
def rgb(rng):
    """A smooth colour picture: chroma subsampling and Bayer patterns keep it nearly as it is."""
    small = rng.integers(40, 216, (2, 2, 3), np.uint8)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def _bayer(rgb, pattern):
    mosaic = np.empty(rgb.shape[:2], np.uint8)
    for index, color in enumerate(pattern):
        row, column = divmod(index, 2)
        mosaic[row::2, column::2] = rgb[row::2, column::2, "rgb".index(color)]
    return mosaic


def _uyvy(rgb):
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV).astype(int)
    y, u, v = np.moveaxis(yuv, 2, 0)
    y = np.clip(16 + y * 219 // 255, 0, 255)  # the format is of limited range
    out = np.empty((*y.shape, 2), np.uint8)
    out[..., 1] = y
    out[:, 0::2, 0] = (128 + (u[:, 0::2] - 128) * 224 / 255).clip(0, 255)
    out[:, 1::2, 0] = (128 + (v[:, 0::2] - 128) * 224 / 255).clip(0, 255)
    return out


def _encoded(rgb, encoding):
    """Return ``rgb`` as 8-bit pixels of ``encoding``, its name without the depth."""
    opaque = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    if encoding.startswith("bayer_"):
        return _bayer(rgb, encoding.removeprefix("bayer_"))
    return {
        "rgb": rgb,
        "bgr": rgb[..., ::-1],
        "rgba": np.dstack([rgb, opaque]),
        "bgra": np.dstack([rgb[..., ::-1], opaque]),
        "mono": cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY),
    }[encoding]


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8", "8UC3", "8UC4"])
@pytest.mark.parametrize("padding", [0, 5])
def test_colour_encodings_are_read_exactly(rgb, encoding, padding):
    name = {"8UC3": "bgr", "8UC4": "bgra"}.get(encoding, encoding.removesuffix("8"))
    rows = np.ascontiguousarray(_encoded(rgb, name)).reshape(HEIGHT, -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    decoded = decode_image(padded.tobytes(), WIDTH, HEIGHT, padded.shape[1], encoding)
    np.testing.assert_array_equal(decoded, rgb)


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey_becomes_equal_channels(rgb, encoding):
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    decoded = decode_image(grey.tobytes(), WIDTH, HEIGHT, WIDTH, encoding)
    np.testing.assert_array_equal(decoded, np.dstack([grey] * 3))


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("name", ["mono", "rgb", "bgra"])
def test_16_bit_values_are_read_in_either_byte_order(rgb, name, big_endian):
    values = np.ascontiguousarray(_encoded(rgb, name)).astype(">u2" if big_endian else "<u2")
    values = values * 256 + 17
    values = values.astype(">u2" if big_endian else "<u2")
    step = values.nbytes // HEIGHT
    decoded = decode_image(values.tobytes(), WIDTH, HEIGHT, step, f"{name}16", big_endian)
    expected = np.dstack([_encoded(rgb, "mono")] * 3) if name == "mono" else rgb
    np.testing.assert_array_equal(decoded, expected)


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_patterns_put_the_colours_in_their_places(pattern):
    rgb = np.full((HEIGHT, WIDTH, 3), (200, 120, 40), np.uint8)
    mosaic = _bayer(rgb, pattern)
    decoded = decode_image(mosaic.tobytes(), WIDTH, HEIGHT, WIDTH, f"bayer_{pattern}8")
    np.testing.assert_array_equal(decoded, rgb)


@pytest.mark.parametrize("encoding", ["yuv422", "uyvy", "yuv422_yuy2", "yuyv"])
def test_yuv_keeps_the_colours(encoding):
    rgb = np.full((HEIGHT, WIDTH, 3), (200, 120, 40), np.uint8)
    packed = _uyvy(rgb)
    if "yu" in encoding and encoding != "yuv422":
        packed = packed[..., ::-1]
    if encoding == "uyvy":
        packed = _uyvy(rgb)
    decoded = decode_image(
        np.ascontiguousarray(packed).tobytes(), WIDTH, HEIGHT, 2 * WIDTH, encoding
    )
    assert np.abs(decoded.astype(int) - rgb).mean() < 12
    assert decoded[..., 0].mean() > decoded[..., 1].mean() > decoded[..., 2].mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoding": "rgb7"}, "rgb7"),
        ({"width": 0}, "empty: 0x6"),
        ({"height": 0}, "empty: 8x0"),
        ({"step": 23}, "step is 23"),
        ({"width": 20000, "height": 20000, "step": 60000}, "data holds 144 bytes"),
        ({"data": bytes(143)}, "data holds 143 bytes"),
        ({"encoding": "uyvy", "width": 7, "step": 14}, "cannot be converted"),
    ],
)
def test_contradictions_are_named(change, message):
    fields = {"data": bytes(144), "width": WIDTH, "height": HEIGHT, "step": 24, "encoding": "rgb8"}
    with pytest.raises(ImageError, match=message):
        decode_image(**(fields | change))


@settings(max_examples=300, deadline=None)
@given(
    data=st.binary(max_size=400),
    width=st.one_of(st.integers(0, 20), st.integers(0, 2**32 - 1)),
    height=st.one_of(st.integers(0, 20), st.integers(0, 2**32 - 1)),
    step=st.one_of(st.integers(0, 80), st.integers(0, 2**32 - 1)),
    encoding=st.one_of(st.sampled_from(ENCODINGS), st.text(max_size=50)),
    big_endian=st.booleans(),
)
def test_any_fields_give_an_rgb_image_or_an_image_error(
    data, width, height, step, encoding, big_endian
):
    try:
        image = decode_image(data, width, height, step, encoding, big_endian)
    except ImageError:
        return
    assert image.shape == (height, width, 3) and image.dtype == np.uint8


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_compressed_images_are_read_as_rgb(portrait, suffix):
    _, blob = cv2.imencode(suffix, portrait[..., ::-1])
    decoded = decode_compressed(blob.tobytes())
    assert np.abs(decoded.astype(int) - portrait).mean() < 3


@pytest.mark.parametrize("blob", [b"", b"no image", b"\xff\xd8\xff\xe0" + bytes(40)])
def test_what_is_no_compressed_image_is_refused(blob):
    with pytest.raises(ImageError, match="compressed image"):
        decode_compressed(blob)


def test_truncated_jpeg_is_refused_or_decoded_in_part(portrait):
    blob = cv2.imencode(".jpg", portrait)[1].tobytes()
    try:
        assert decode_compressed(blob[: len(blob) // 2]).shape == portrait.shape
    except ImageError as error:
        assert "cannot be decoded" in str(error)


def _png(width, height, pixels, length=None):
    """Return a PNG of one chunk of pixels, which claims ``length`` bytes."""

    def chunk(kind, content, length=None):
        size = struct.pack(">I", len(content) if length is None else length)
        return size + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels, length) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_a_small_file_of_a_huge_picture_is_refused_before_it_is_decoded(portrait):
    """Decoding them would take seconds and gigabytes."""
    with pytest.raises(ImageError, match="claims 30000x20000 pixels"):
        decode_compressed(_png(30_000, 20_000, zlib.compress(bytes(100))))
    jpeg = cv2.imencode(".jpg", portrait)[1].tobytes()
    at = jpeg.index(b"\xff\xc0") + 5
    with pytest.raises(ImageError, match="claims 60000x50000 pixels"):
        decode_compressed(jpeg[:at] + struct.pack(">HH", 50_000, 60_000) + jpeg[at + 4 :])


def test_a_png_whose_chunk_is_cut_off_is_refused():
    """OpenCV 4.14 looks for the rest of it for ever."""
    with pytest.raises(ImageError, match="cut off"):
        decode_compressed(_png(28, 20, zlib.compress(bytes(1700)), length=0xFF000583))


@pytest.mark.parametrize("suffix", [".tiff", ".webp", ".bmp"])
def test_what_no_camera_sends_is_not_decoded(portrait, suffix):
    with pytest.raises(ImageError, match="neither JPEG nor PNG"):
        decode_compressed(cv2.imencode(suffix, portrait)[1].tobytes())


@pytest.mark.parametrize(
    "options",
    [
        [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
        [cv2.IMWRITE_JPEG_RST_INTERVAL, 3],
        [cv2.IMWRITE_JPEG_QUALITY, 5],
    ],
)
def test_the_size_of_any_kind_of_jpeg_is_found(portrait, options):
    # A comment holds the marker of another size.
    jpeg = cv2.imencode(".jpg", portrait, options)[1].tobytes()
    comment = b"\xff\xfe\x00\x0c" + b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03"
    assert decode_compressed(jpeg[:2] + comment + jpeg[2:]).shape == portrait.shape
