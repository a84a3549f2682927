# SPDX-License-Identifier: Apache-2.0
"""Bags of videos and folders: frame times, and reports of missing frames."""

import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from matroska import write_matroska

from fer_evaluation import make_bag
from fer_evaluation.bags.bag_images import images
from fer_evaluation.bags.bag_reader import OpenBag
from fer_evaluation.bags.message_types import MessageTypes
from replay_bags import small_images

START_NS = 10**9


def run(source, bag, *options):
    return make_bag.main([str(source), str(bag), "--quiet", *options])


def stamps_ms(bag):
    with OpenBag(bag) as opened:
        types = MessageTypes(opened.topics.values())
        found = list(images(opened, types, "/camera/image_raw"))
        assert all(image.pixels is not None for image in found)
        return [(image.stamp_ns - START_NS) // 10**6 for image in found]


def write_avi(path, count):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (64, 48))
    rng = np.random.default_rng(0)
    for _ in range(count):
        writer.write(rng.integers(0, 256, (48, 64, 3), np.uint8))
    writer.release()
    return path


def test_images_have_the_times_of_a_video_with_a_variable_rate(tmp_path, capsys):
    times_ms = [0, 40, 80, 500, 540, 1500, 1540, 3000]
    write_matroska(tmp_path / "clip.mkv", zip(small_images(8), times_ms, strict=True), 3040)
    assert run(tmp_path / "clip.mkv", tmp_path / "bag") == 0
    assert stamps_ms(tmp_path / "bag") == times_ms
    captured = capsys.readouterr()
    assert captured.out == f"Wrote {tmp_path / 'bag'}: 8 images on /camera/image_raw\n"
    assert captured.err == ""
    assert run(tmp_path / "clip.mkv", tmp_path / "paced", "--rate", "10") == 0
    assert stamps_ms(tmp_path / "paced") == [100 * n for n in range(8)]


def test_a_video_that_is_cut_short_says_both_numbers(tmp_path, capsys):
    video = write_avi(tmp_path / "clip.avi", 40)
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2])
    assert run(video, tmp_path / "bag") == 0
    captured = capsys.readouterr()
    count = len(stamps_ms(tmp_path / "bag"))
    assert 0 < count < 40
    assert f"{count} images" in captured.out
    assert f"{40 - count} of 40 frames could not be read" in captured.err


def test_pictures_are_in_the_order_of_their_numbers_and_a_bad_one_is_counted(tmp_path, capsys):
    folder = tmp_path / "frames"
    folder.mkdir()
    pictures = small_images(12)
    for number, image in enumerate(pictures, 1):
        assert cv2.imwrite(str(folder / f"frame_{number}.png"), image[..., ::-1])
    (folder / "frame_3.png").write_bytes(b"not a picture")
    (folder / "._frame_4.png").write_bytes(b"\0\5\x16\7")
    assert run(folder, tmp_path / "bag", "--rate", "10") == 0
    errors = capsys.readouterr().err
    assert "frame_3.png" in errors and "1 of 12 frames could not be read" in errors
    with OpenBag(tmp_path / "bag") as bag:
        found = list(images(bag, MessageTypes(bag.topics.values()), "/camera/image_raw"))
    expected = [*pictures[:2], *pictures[3:]]
    assert all((a.pixels == b).all() for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("source", ["portrait", "0", "nowhere.mp4", ""])
def test_only_files_and_folders_are_read(tmp_path, capsys, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    assert run(source or "sub", tmp_path / "bag") == 2
    assert capsys.readouterr().err.startswith("make_bag: ")
    assert [path.name for path in tmp_path.iterdir()] == ["sub"]


@pytest.mark.parametrize("name", ["take#3", "take?3", "take%203"])
def test_what_sqlite_cannot_name_is_refused_before_anything_is_written(tmp_path, capsys, name):
    (tmp_path / "frames").mkdir()
    for n, image in enumerate(small_images(3)):
        cv2.imwrite(str(tmp_path / "frames" / f"{n}.png"), image)
    assert run(tmp_path / "frames", tmp_path / name, "--storage", "sqlite3") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "choose another name, or mcap storage" in captured.err
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]
    assert run(tmp_path / "frames", tmp_path / name) == 0
    assert len(stamps_ms(tmp_path / name)) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(tmp_path, number):
    folder = tmp_path / "frames"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    for n in range(200):
        cv2.imwrite(str(folder / f"{n}.png"), noise)
    command = [sys.executable, "-m", "fer_evaluation.make_bag", str(folder), str(tmp_path / "bag")]
    process = subprocess.Popen([*command, "--quiet"], stderr=subprocess.PIPE, text=True)
    end_s = time.monotonic() + 60.0
    storage = tmp_path / ".bag.part" / "bag" / "bag.mcap"
    while not (storage.exists() and storage.stat().st_size):
        assert process.poll() is None and time.monotonic() < end_s
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == "make_bag: interrupted; nothing was written"
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--start-ns", "-5"), ("--start-ns", "9" * 20), ("--start-ns", "9" * 400)),
        *(("--max-width", "-5"), ("--rate", "nan"), ("--rate", "-1")),
        *(("--topic", "nolead"), ("--topic", "/a//b"), ("--topic", "/a/"), ("--topic", "/a__b")),
    ],
)
def test_a_value_out_of_range_is_named(tmp_path, capsys, option, value):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, tmp_path / "bag", option, value)
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert option in last and repr(value) in last and "expected" in last


def test_what_a_message_cannot_hold_is_one_line_and_no_bag(tmp_path, capsys):
    video = write_avi(tmp_path / "clip.avi", 3)
    assert run(video, tmp_path / "bag", "--start-ns", str(2**31 * 10**9 - 1)) == 2
    assert capsys.readouterr().err.startswith("make_bag: a stamp of 21474836480")
    assert not (tmp_path / "bag").exists()


def test_what_a_folder_holds_besides_pictures_is_counted(tmp_path, capsys):
    folder = tmp_path / "frames"
    (folder / "more").mkdir(parents=True)
    cv2.imwrite(str(folder / "1.png"), small_images(1)[0])
    write_avi(folder / "clip.avi", 2)
    assert run(folder, tmp_path / "bag", "--max-width", "1") == 0
    errors = capsys.readouterr().err
    assert "1 not pictures skipped (clip.avi)" in errors
    assert "1 folder skipped (more)" in errors
