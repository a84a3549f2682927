# SPDX-License-Identifier: Apache-2.0
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_perception.images.compressed import decode_compressed
from fer_perception.images.decoding import ENCODINGS, ImageError, decode_image
from fer_perception.images.levels import is_nearly_black

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
    values = _encoded(rgb, name).astype(np.uint16) * 257
    values = np.ascontiguousarray(values).astype(">u2" if big_endian else "<u2")
    step = values.nbytes // HEIGHT
    decoded = decode_image(values.tobytes(), WIDTH, HEIGHT, step, f"{name}16", big_endian)
    expected = np.dstack([_encoded(rgb, "mono")] * 3) if name == "mono" else rgb
    np.testing.assert_array_equal(decoded, expected)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("encoding", ["mono16", "16UC1", "bayer_rggb16", "rgb16"])
def test_16_bit_values_are_scaled_by_the_bits_that_they_use(bits, encoding):
    largest = (1 << bits) - 1
    values = np.full((HEIGHT, WIDTH * (3 if encoding == "rgb16" else 1)), largest, "<u2")
    values[: HEIGHT // 2] = largest // 2
    decoded = decode_image(values.tobytes(), WIDTH, HEIGHT, values.nbytes // HEIGHT, encoding)
    assert decoded[-1, -1].tolist() == [255] * 3
    np.testing.assert_allclose(decoded[0, 0], 127.5, atol=1)


@pytest.mark.parametrize(
    ("encoding", "dtype"),
    [("8SC3", "i1"), ("16SC1", "<i2"), ("32SC4", "<i4"), ("32FC1", "<f4"), ("64FC3", "<f8")],
)
def test_signed_values_and_floats_are_spread_over_their_own_range(encoding, dtype):
    channels = int(encoding[-1])
    values = np.zeros((HEIGHT, WIDTH, channels))
    values[0], values[1], values[2] = -100, 0, 100
    decoded = decode_image(
        values.astype(dtype).tobytes(),
        WIDTH,
        HEIGHT,
        WIDTH * channels * np.dtype(dtype).itemsize,
        encoding,
    )
    assert decoded[:3, 0, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("encoding", ["mono16", "bayer_rggb16", "16SC1", "32FC1", "64FC1"])
@pytest.mark.parametrize("size", [(320, 240), (1280, 720)])
def test_hot_pixels_do_not_decide_the_range(rng, encoding, size):
    width, height = size
    dtype = {"16SC1": "<i2", "32FC1": "<f4", "64FC1": "<f8"}.get(encoding, "<u2")
    values = np.tile(np.linspace(0, 1023, width), (height, 1)).astype(dtype)
    step = values.strides[0]
    expected = decode_image(values.tobytes(), width, height, step, encoding).astype(int)
    assert expected.mean() > 100
    hot = rng.integers(0, values.size, values.size // 5000)
    values.reshape(-1)[hot] = 32767
    if dtype != "<u2":
        values[5, 5] = -32768
    decoded = decode_image(values.tobytes(), width, height, step, encoding).astype(int)
    is_near = np.abs(decoded - expected) <= 2
    assert is_near.mean() > 0.99 and decoded.max() == 255


def test_a_picture_is_nearly_black_where_nothing_stands_out(portrait):
    assert not is_nearly_black(portrait)
    assert is_nearly_black(portrait // 64)
    lamp = np.zeros((240, 320, 3), np.uint8)
    assert is_nearly_black(lamp)
    lamp[:20, :20] = 255
    assert lamp.mean() < 4 and not is_nearly_black(np.roll(lamp, 9, axis=0))


def test_floats_that_are_no_numbers_are_black_and_do_not_count():
    values = np.full((HEIGHT, WIDTH), 0.5, "<f4")
    values[0, :3] = np.nan, np.inf, -np.inf
    values[1, 0], values[1, 1] = 0.0, 1.0
    decoded = decode_image(values.tobytes(), WIDTH, HEIGHT, 4 * WIDTH, "32FC1")
    assert decoded[1, :3, 0].tolist() == [0, 255, 128] and decoded[0, 0, 0] == 0
    nothing = np.full((HEIGHT, WIDTH), np.nan, "<f4")
    assert not decode_image(nothing.tobytes(), WIDTH, HEIGHT, 4 * WIDTH, "32FC1").any()


def test_capitals_in_the_name_of_an_encoding_do_not_matter(rgb):
    for encoding in ("RGB8", "Rgb8"):
        decoded = decode_image(rgb.tobytes(), WIDTH, HEIGHT, 3 * WIDTH, encoding)
        np.testing.assert_array_equal(decoded, rgb)


def _planes(rgb):
    """Return luma and the two chromas of each 2 x 2 pixels, of limited range."""
    i420 = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    chroma = i420[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    return i420[:HEIGHT], chroma[0], chroma[1]


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("encoding", ["nv12", "nv21", "nv24", "i420", "NV12"])
def test_planar_encodings_keep_brightness_and_colours(encoding, padding):
    rgb = np.full((HEIGHT, WIDTH, 3), (200, 120, 40), np.uint8)
    rgb[: HEIGHT // 2] = 60, 90, 160
    # Chroma is shared by two rows, so that no pair may straddle the edge.
    rgb[2] = rgb[3]
    luma, u, v = _planes(rgb)
    rows = [np.pad(luma, ((0, 0), (0, padding)))]
    if encoding == "i420":
        rows += [np.pad(plane, ((0, 0), (0, padding // 2))) for plane in (u, v)]
    elif encoding == "nv24":
        full = np.dstack([u, v]).repeat(2, axis=0).repeat(2, axis=1).reshape(HEIGHT, -1)
        rows.append(np.pad(full, ((0, 0), (0, 2 * padding))))
    else:
        order = (v, u) if encoding == "nv21" else (u, v)
        rows.append(np.pad(np.dstack(order).reshape(HEIGHT // 2, -1), ((0, 0), (0, padding))))
    data = b"".join(np.ascontiguousarray(part).tobytes() for part in rows)
    decoded = decode_image(data, WIDTH, HEIGHT, WIDTH + padding, encoding)
    assert np.abs(decoded.astype(int) - rgb).max() < 6


def test_encodings_come_out_as_from_cv_bridge():
    cv_bridge = pytest.importorskip(
        "cv_bridge", reason="cv_bridge is not installed: the encodings were not compared with it"
    )
    from sensor_msgs.msg import Image

    noise = np.random.default_rng(0).integers(0, 256, 64 * 48 * 32, np.uint8).tobytes()
    compared = 0
    for encoding in ENCODINGS:
        for step in (64 * size for size in (1, 2, 3, 4, 6, 8)):
            fields = {"width": 64, "height": 48, "step": step, "encoding": encoding}
            message = Image(**fields, data=noise[: step * 48])
            try:
                expected = cv_bridge.CvBridge().imgmsg_to_cv2(message, "rgb8")
            except (cv_bridge.CvBridgeError, ValueError, TypeError, RuntimeError):
                continue  # it knows no colours of this encoding, or another step
            decoded = decode_image(message.data, 64, 48, step, encoding)
            np.testing.assert_array_equal(decoded, expected, encoding)
            compared += 1
            break
    assert compared >= 15


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
        ({"encoding": "nv12", "width": 7, "step": 8}, "must be even"),
        ({"encoding": "nv21", "step": 40}, "takes 360"),
        ({"encoding": "16UC2"}, "16UC2"),
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
    decoded = decode_compressed(blob.tobytes()).pixels
    assert np.abs(decoded.astype(int) - portrait).mean() < 3


@pytest.mark.parametrize("blob", [b"", b"no image", b"\xff\xd8\xff\xe0" + bytes(40)])
def test_what_is_no_compressed_image_is_refused(blob):
    with pytest.raises(ImageError, match="compressed image"):
        decode_compressed(blob)


@pytest.mark.parametrize("progressive", [0, 1])
def test_jpeg_that_is_cut_short_is_decoded_as_far_as_it_goes(portrait, progressive):
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive]
    blob = cv2.imencode(".jpg", portrait, options)[1].tobytes()
    whole = decode_compressed(blob)
    assert not whole.damage
    for lost in (1, 2):
        decoded = decode_compressed(blob[:-lost])
        assert "end marker" in decoded.damage
        np.testing.assert_array_equal(decoded.pixels, whole.pixels)
    half = decode_compressed(blob[: len(blob) // 2])
    assert half.damage and half.pixels.shape == whole.pixels.shape
    rows = slice(0, 100) if not progressive else slice(None)
    difference = np.abs(half.pixels[rows].astype(int) - whole.pixels[rows])
    assert difference.mean() < (1 if not progressive else 15)


def test_end_marker_of_a_thumbnail_is_not_taken_for_the_picture_s(portrait):
    blob = cv2.imencode(".jpg", portrait)[1].tobytes()
    thumbnail = cv2.imencode(".jpg", portrait[::8, ::8])[1].tobytes()
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    with_thumbnail = blob[:2] + segment + blob[2:]
    assert not decode_compressed(with_thumbnail).damage
    assert not decode_compressed(with_thumbnail + bytes(64)).damage  # padded, as cameras do
    assert decode_compressed(with_thumbnail[: -len(blob) // 2]).damage


def test_jpeg_without_any_pixels_is_refused(portrait):
    blob = cv2.imencode(".jpg", portrait)[1].tobytes()
    with pytest.raises(ImageError):
        decode_compressed(blob[: blob.index(b"\xff\xda")])


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_png_of_any_depth_is_scaled_by_the_bits_that_it_uses(bits):
    grey = np.linspace(0, (1 << bits) - 1, 48 * 64).reshape(48, 64).astype(np.uint16)
    decoded = decode_compressed(cv2.imencode(".png", grey)[1].tobytes()).pixels
    expected = np.rint(grey * 255.0 / ((1 << bits) - 1))
    np.testing.assert_allclose(decoded[..., 0], expected, atol=1)


@pytest.mark.parametrize("name", ["16UC1; compressedDepth", "32FC1; compressedDepth rvl"])
def test_images_of_distances_are_refused_by_name(name):
    with pytest.raises(ImageError, match=r"compressedDepth.*/compressed"):
        decode_compressed(bytes(12) + b"\x89PNG\r\n\x1a\n" + bytes(40), name)


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
    """OpenCV 4.14 hangs on such a file."""
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
    assert decode_compressed(jpeg[:2] + comment + jpeg[2:]).pixels.shape == portrait.shape
