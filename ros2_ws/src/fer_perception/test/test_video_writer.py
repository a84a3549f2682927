# SPDX-License-Identifier: Apache-2.0
"""Videos are complete, or not there."""

import resource
import signal

import cv2
import numpy as np
import pytest

from fer_perception.images.video_writer import VideoWriter


def write(path, count, rng):
    with VideoWriter(path, 10.0) as video:
        for _ in range(count):
            video.write(rng.integers(0, 256, (240, 320, 3), np.uint8))


@pytest.fixture
def small_disk():
    """Make every write beyond 100 kB fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    taken = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, taken)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv"])
def test_a_full_disk_is_an_error_and_keeps_the_earlier_video(tmp_path, small_disk, name):
    (tmp_path / name).write_bytes(b"earlier")
    with pytest.raises(OSError, match=f"{name}: .* of 30 frames"):
        write(tmp_path / name, 30, np.random.default_rng(0))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"earlier"


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv"])
@pytest.mark.parametrize("count", [1, 7])
def test_a_complete_video_is_put_in_place(tmp_path, name, count):
    write(tmp_path / name, count, np.random.default_rng(0))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    video, found = cv2.VideoCapture(str(tmp_path / name)), 0
    while video.grab():
        found += 1
    assert found == count


def test_a_failed_run_leaves_no_video(tmp_path):
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "a.mp4", 10.0) as video:
        video.write(np.zeros((48, 64, 3), np.uint8))
        raise RuntimeError
    assert not list(tmp_path.iterdir())
