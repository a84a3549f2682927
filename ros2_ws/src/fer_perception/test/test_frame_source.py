# SPDX-License-Identifier: Apache-2.0
import itertools
import threading
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matroska import write_matroska
from network_camera import FRAMES, network_camera

from fer_perception.images import playback
from fer_perception.images.camera import Camera
from fer_perception.images.frame_source import (
    Frame,
    FrameSource,
    FrameSourceError,
    PortraitSource,
    SourceReport,
    open_frame_source,
)
from fer_perception.images.natural_order import natural_key
from fer_perception.images.playback import play
from fer_perception.images.video_file import FrameTimes, frames_in_gaps

RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(color=RED, width=64, height=48):
    return np.full((height, width, 3), color, np.uint8)


def write_picture(path, color=RED):
    assert cv2.imwrite(str(path), picture(color)[..., ::-1])


def write_clip(path, count, rate_hz=12.5, size=(64, 48)):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate_hz, size)
    rng = np.random.default_rng(0)
    for _ in range(count):
        writer.write(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))
    writer.release()


def read(path, **options):
    """Return the frames of a source, its warnings and its report."""
    warnings = []
    with open_frame_source(str(path), warn=warnings.append, **options) as source:
        frames = list(source)
    return frames, warnings, source.report


def test_folder_is_read_in_order_of_names_and_can_start_again(tmp_path):
    write_picture(tmp_path / "b.png", BLUE)
    write_picture(tmp_path / "a.png", RED)
    (tmp_path / "notes.txt").write_text("not an image")
    source = open_frame_source(str(tmp_path), rate_hz=4.0)
    first, second = source
    assert (first.image[0, 0] == RED).all() and (second.image[0, 0] == BLUE).all()
    assert (first.name, first.time_s) == ("a.png", 0.0)
    assert (second.name, second.time_s) == ("b.png", 0.25)
    source.rewind()
    assert (next(source).image == first.image).all() and source.report.frames == 1


def test_numbers_in_names_are_compared_as_numbers(tmp_path):
    numbers = [1, 2, 9, 10, 11, 100]
    for number in numbers:
        write_picture(tmp_path / f"frame_{number}.png")
    frames, _, _ = read(tmp_path)
    assert [frame.name for frame in frames] == [f"frame_{number}.png" for number in numbers]


@given(st.lists(st.text(max_size=6), unique=True))
def test_natural_order_is_one_order_of_all_names(names):
    keys = [natural_key(name) for name in names]
    assert len(set(map(str, keys))) == len(names)
    assert sorted(keys)[:1] == keys[:1] or min(keys) < keys[0]  # text meets no number


@given(st.text("ab_-", max_size=4), st.integers(0, 10**20), st.integers(0, 10**20))
def test_natural_order_of_numbers_is_that_of_their_values(prefix, first, second):
    ordered = natural_key(f"{prefix}{first}.png") <= natural_key(f"{prefix}{second}.png")
    assert ordered == (first <= second)


def test_bad_picture_is_left_out_named_and_counted_and_leaves_its_time_empty(tmp_path):
    for name in ("1.png", "2.png", "3.png"):
        write_picture(tmp_path / name)
    (tmp_path / "2.png").write_bytes(b"broken")
    (tmp_path / "._1.png").write_bytes(b"what macOS adds")
    frames, [warning], report = read(tmp_path, rate_hz=10.0)
    assert [(frame.name, frame.time_s) for frame in frames] == [("1.png", 0.0), ("3.png", 0.2)]
    assert "2.png" in warning
    assert (report.frames, report.missing, report.damaged) == (2, 1, 0)


def test_picture_that_is_cut_short_is_shown_named_and_counted(tmp_path):
    write_picture(tmp_path / "1.jpg")
    whole = (tmp_path / "1.jpg").read_bytes()
    (tmp_path / "2.jpg").write_bytes(whole[:-2])
    frames, [warning], report = read(tmp_path)
    assert (frames[0].image == frames[1].image).all()
    assert "2.jpg" in warning and "cut short" in warning
    assert (report.frames, report.missing, report.damaged) == (2, 0, 1)


def test_folder_of_which_nothing_can_be_read_is_an_error(tmp_path):
    (tmp_path / "1.png").write_bytes(b"broken")
    with pytest.raises(FrameSourceError, match="none of its 1 pictures"):
        read(tmp_path)


@pytest.mark.parametrize("suffix", [".tif", ".ppm", ".jfif", ".gif", ".avif", ".heic", ".JPG"])
def test_every_format_of_pictures_is_read_or_named(tmp_path, suffix):
    write_picture(tmp_path / "1.png")
    content = ".jpg" if suffix.lower() in (".jfif", ".heic", ".jpg") else suffix
    if suffix == ".heic" or not cv2.haveImageWriter(f"a{content}"):
        (tmp_path / f"2{suffix}").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(100))
    else:
        write_picture(tmp_path / f"2{content}")
        (tmp_path / f"2{content}").rename(tmp_path / f"2{suffix}")
    frames, warnings, report = read(tmp_path)
    assert report.frames == len(frames) and report.frames + report.missing == 2
    assert len(warnings) == report.missing
    assert all(f"2{suffix}" in warning and "convert it" in warning for warning in warnings)
    if suffix in (".tif", ".ppm", ".jfif", ".JPG"):
        assert len(frames) == 2


def test_12_bit_picture_is_not_black(tmp_path):
    values = np.full((48, 64), 1500, np.uint16)
    values[0, 0] = 4095
    cv2.imwrite(str(tmp_path / "a.png"), values)
    [frame], _, _ = read(tmp_path)
    assert frame.image[24, 32, 0] == round(1500 * 255 / 4095)


def test_picture_is_turned_as_its_exif_data_say(tmp_path):
    write_picture(tmp_path / "a.jpg")
    jpeg = (tmp_path / "a.jpg").read_bytes()
    # One entry, orientation (0x0112), a short of value 6: turned by a quarter.
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    (tmp_path / "a.jpg").write_bytes(
        jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    )
    [frame], _, _ = read(tmp_path)
    assert frame.image.shape == (64, 48, 3)


def test_one_picture_is_a_source_of_one_frame(tmp_path):
    for number in (1, 2):  # OpenCV's video reader would go on with the next number
        write_picture(tmp_path / f"frame_{number}.png")
    frames, _, _ = read(tmp_path / "frame_1.png")
    assert [frame.name for frame in frames] == ["frame_1.png"]


def test_video_gives_its_frames_in_rgb_at_its_rate(tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 12.5, (64, 48))
    for color in (RED, RED, BLUE):
        writer.write(picture(color)[..., ::-1])
    writer.release()
    source = open_frame_source(str(path))
    assert source.rate_hz == pytest.approx(12.5)
    frames = list(source)
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.08, 0.16])
    first, last = frames[0].image[24, 32], frames[2].image[24, 32]
    assert first[0] > 150 > first[2] and last[2] > 150 > last[0]
    source.rewind()
    assert next(source).time_s == 0.0 and source.report.frames == 1
    source.close()


def test_frames_have_the_times_of_their_container(tmp_path):
    times_ms = [40, 73, 140, 173, 500, 1500, 1533]
    path = tmp_path / "variable.mkv"
    write_matroska(path, [(picture(), time_ms) for time_ms in times_ms], duration_ms=1566)
    frames, warnings, report = read(path)
    assert [frame.time_s for frame in frames] == pytest.approx(
        [(time_ms - 40) / 1000 for time_ms in times_ms]
    )
    assert (report.frames, report.missing, report.untimed, warnings) == (7, 0, 0, [])


def test_a_rate_that_is_asked_for_replaces_the_container_s_times(tmp_path):
    path = tmp_path / "variable.mkv"
    write_matroska(path, [(picture(), time_ms) for time_ms in (0, 33, 500)], duration_ms=533)
    frames, warnings, report = read(path, rate_hz=10.0)
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.1, 0.2])
    assert (report.missing, warnings) == (0, [])


def test_recording_without_a_duration_is_read_to_its_end_at_its_times(tmp_path):
    path = tmp_path / "browser.webm"
    write_matroska(path, [(picture(), 33 * n + n % 3) for n in range(20)])
    frames, warnings, report = read(path)
    assert frames[-1].time_s == pytest.approx((33 * 19 + 19 % 3) / 1000)
    assert (report.frames, report.missing, warnings) == (20, 0, [])


def test_fewer_frames_than_the_container_counts_is_a_warning_with_both_numbers(tmp_path):
    path = tmp_path / "clip.avi"
    write_clip(path, 40)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    frames, [warning], report = read(path)
    assert 10 < len(frames) < 30
    assert f"promises 40 frames, but only {len(frames)} can be read" in warning
    assert (report.frames, report.missing) == (len(frames), 40 - len(frames))


@pytest.mark.parametrize("rate_hz", [0.0, 5.0])
def test_duration_that_the_frames_do_not_fill_is_a_warning_with_both_numbers(tmp_path, rate_hz):
    path = tmp_path / "clip.mkv"
    write_matroska(path, [(picture(), 40 * n) for n in range(50)], duration_ms=2000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    frames, [warning], report = read(path, rate_hz=rate_hz)
    assert "promises 2.00 s" in warning and f"its {len(frames)} frames end at" in warning
    assert report.missing > 0


def test_gap_in_a_steady_video_is_a_warning_with_both_numbers(tmp_path):
    """A damaged Matroska file lacks whole clusters, without other signs."""
    path = tmp_path / "clip.mkv"
    times_ms = [40 * n for n in range(60) if not 20 <= n < 30]
    write_matroska(path, [(picture(), time_ms) for time_ms in times_ms], duration_ms=2400)
    frames, [warning], report = read(path)
    assert "gives 50 frames" in warning and "about 10 are missing" in warning
    assert (len(frames), report.missing) == (50, 10)


@given(st.integers(100, 300), st.sets(st.integers(1, 98), max_size=4), st.randoms())
def test_frames_taken_out_of_a_steady_video_are_counted(count, removed, random):
    times_s = [0.04 * n + random.uniform(-0.003, 0.003) for n in range(count)]
    assert frames_in_gaps([t for n, t in enumerate(times_s) if n not in removed]) == len(removed)


@pytest.mark.parametrize(
    "intervals_s",
    [[], [0.04], [0.04] * 50, [0.033, 0.1] * 30, [0.033] * 30 + [0.1] * 30, [0.033, 0.5, 0.033]],
)
def test_nothing_is_missing_at_a_whole_or_a_variable_rate(intervals_s):
    assert frames_in_gaps(list(itertools.accumulate(intervals_s, initial=0.0))) == 0


def test_damage_in_a_video_does_not_shift_the_times_after_it(tmp_path):
    path = tmp_path / "clip.avi"
    write_clip(path, 40, rate_hz=10.0)
    whole, _, _ = read(path)
    data = bytearray(path.read_bytes())
    start, end = (data.index(b"00dc", len(data) * share // 8) + 8 for share in (3, 4))
    data[start : end - 8] = bytes(end - 8 - start)
    path.write_bytes(data)
    frames, [warning], report = read(path)
    assert report.missing == 40 - len(frames) > 0 and str(len(frames)) in warning
    for frame in frames:
        assert (frame.image == whole[round(frame.time_s * 10.0)].image).all(), frame.time_s


@given(
    st.lists(
        st.floats(0.0, 100.0) | st.just(float("nan")) | st.just(0.0), min_size=1, max_size=50
    ),
    st.floats(0.001, 1.0),
)
def test_times_increase_strictly_from_zero(positions_s, period_s):
    times = FrameTimes(period_s)
    given_s = [times.next(position_s) for position_s in positions_s]
    assert given_s[0] == 0.0
    assert all(a < b for a, b in zip(given_s, given_s[1:], strict=False))


def test_frames_without_a_position_follow_at_the_last_interval():
    """OpenCV 4.6 gives position 0 to the frames that its decoder still held at the end."""
    times = FrameTimes(1.0)
    assert [times.next(s) for s in (5.0, 5.1, 5.3, 0.0, 0.0)] == pytest.approx(
        [0.0, 0.1, 0.3, 0.5, 0.7]
    )
    assert times.untimed == 2


def test_positions_out_of_order_do_not_shift_those_that_follow():
    """So a damaged stream gives them, with the next intact frames before the last damaged ones."""
    times = FrameTimes(0.033)
    positions_s = [2.700, 2.733, 3.800, 2.767, 3.833, 2.800, 3.867, 3.900]
    given_s = [times.next(position_s) + 2.700 for position_s in positions_s]
    assert given_s == pytest.approx([2.7, 2.733, 3.8, 3.801, 3.833, 3.834, 3.867, 3.9])
    assert times.untimed == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/no/such/file.mp4", "no such source"),
        ("97", "camera 97"),
        ("/dev/video97", "camera /dev/video97"),
        ("/dev/v4l/by-id/usb-none", "camera /dev/v4l/by-id/usb-none"),
        ("http://127.0.0.1:9/stream", "camera http://127.0.0.1:9/stream"),
        ("rtsp://user:se@secret@127.0.0.1:9/stream", "camera rtsp://127.0.0.1:9/stream: does"),
        ("http://127.0.0.1:9/stream?token=secret", "camera http://127.0.0.1:9/stream: does"),
        ("rstp://user:secret@127.0.0.1/stream", "no such source: 'rstp://127.0.0.1/stream'"),
        ("²", "no such source"),
        ("", "no such source: ''"),
        (" ", "no such source: ' '"),
        ("a\0b", "no such source"),
        ("~no-such-user/clip.mp4", "cannot open '~no-such-user"),
        ("folder", "holds no image"),
    ],
)
def test_what_cannot_be_opened_is_named_and_not_replaced(source, message, tmp_path):
    if source == "folder":
        source = str(tmp_path)
    with pytest.raises(FrameSourceError, match=message) as raised:
        open_frame_source(source)
    assert "secret" not in str(raised.value)


def test_file_that_is_no_video_is_named(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no video")
    with pytest.raises(FrameSourceError, match=r"clip\.mp4"):
        open_frame_source(str(path))


def test_portrait_moves_and_has_the_size_asked_for():
    source = PortraitSource(320, 240)
    first = next(source)
    assert first.image.shape == (240, 320, 3)
    for _ in range(20):
        later = next(source)
    assert (first.image != later.image).any() and later.time_s == pytest.approx(20 / 30)
    source.rewind()
    assert (source.read() == first.image).all()


def test_stream_of_a_network_camera_is_read_until_it_breaks_off():
    with network_camera() as address, open_frame_source(address) as camera:
        assert isinstance(camera, Camera) and camera.is_live
        frames = [next(camera) for _ in range(FRAMES)]
        with pytest.raises(FrameSourceError, match="no more frames"):
            next(camera)
    levels = [int(frame.image[0, 0, 0]) for frame in frames]
    assert levels == pytest.approx([0, 40, 80, 120, 160], abs=3)
    times = [frame.time_s for frame in frames]
    assert times[0] == 0.0 and times == sorted(times)


class _Clock:
    """A clock with settable ``now_s`` that records waits."""

    def __init__(self, monkeypatch):
        self.now_s, self.waits_s = 100.0, []
        monkeypatch.setattr(playback, "time", SimpleNamespace(monotonic=lambda: self.now_s))

    def wait(self, timeout_s):
        self.waits_s.append(timeout_s)
        return False

    def is_set(self):
        return False


def test_playback_waits_for_the_time_of_each_frame_and_starts_again(tmp_path, monkeypatch):
    path = tmp_path / "clip.mkv"
    write_matroska(path, [(picture(), time_ms) for time_ms in (0, 10, 60)], duration_ms=80)
    clock, again = _Clock(monkeypatch), iter([True, False])
    frames = list(play(open_frame_source(str(path)), clock, lambda: next(again)))
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.01, 0.06] * 2)
    # The last frame is shown as long as the one before it.
    assert clock.waits_s == pytest.approx([0.0, 0.01, 0.06, 0.11, 0.12, 0.17])


def test_playback_catches_up_a_short_pause_but_no_long_one(monkeypatch):
    clock = _Clock(monkeypatch)
    frames = play(PortraitSource(32, 24, rate_hz=10.0), clock)
    next(frames)
    clock.now_s += 0.5
    for _ in range(6):
        next(frames)
    assert clock.waits_s[1:] == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.0, 0.1])
    clock.now_s += 3600.0
    del clock.waits_s[:]
    for _ in range(3):
        next(frames)
    assert clock.waits_s == pytest.approx([0.0, 0.1, 0.2])


class _Live(FrameSource):
    """Return 100 frames at 100 Hz without waiting, then fail."""

    is_live = True

    def __next__(self):
        count = self.report.frames
        if count == 100:
            raise FrameSourceError("gone")
        self.report = SourceReport(frames=count + 1)
        return Frame(picture(), count / 100.0)


@pytest.mark.parametrize(("rate_hz", "expected"), [(0.0, 100), (10.0, 10), (50.0, 50)])
def test_frames_of_a_live_source_are_left_out_above_the_rate(rate_hz, expected):
    given_s = []
    with pytest.raises(FrameSourceError, match="gone"):
        for frame in play(_Live("live"), threading.Event(), rate_hz=rate_hz):
            given_s.append(frame.time_s)
    assert len(given_s) == pytest.approx(expected, abs=1)


def test_playback_ends_when_it_is_stopped(tmp_path):
    stop = threading.Event()
    for count, _ in enumerate(play(PortraitSource(32, 24, rate_hz=1000.0), stop), 1):
        if count == 3:
            stop.set()
    assert count == 3


def test_portrait_needs_no_other_package_and_names_its_licence():
    from fer_perception.images import portrait

    folder = Path(portrait.__file__).parent
    assert "public domain" in (folder / "astronaut.jpg.license").read_text()
    assert cv2.imread(str(folder / "astronaut.jpg")).shape == (512, 512, 3)
