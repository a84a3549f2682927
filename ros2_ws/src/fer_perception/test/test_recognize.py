# SPDX-License-Identifier: Apache-2.0
"""The command ``recognize``, run as a process."""

import csv
import json
import signal
import subprocess
import sys

import cv2
import pytest

from fer_perception.emotions import EMOTIONS

COMMAND = [sys.executable, "-m", "fer_perception.command"]
MODEL = ["--model", "baseline_cnn"]


def recognize(*arguments):
    return subprocess.run(
        [*COMMAND, *MODEL, *map(str, arguments)], capture_output=True, text=True, timeout=240
    )


def save(path, image):
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


@pytest.fixture
def photo(portrait, tmp_path):
    return save(tmp_path / "photo.png", portrait)


@pytest.fixture
def clip(portrait, tmp_path):
    path = tmp_path / "clip.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (640, 480))
    for _ in range(5):
        video.write(portrait[..., ::-1])
    video.release()
    return path


def test_a_photograph_is_a_table_of_at_most_80_columns(photo):
    done = recognize(photo)
    assert done.returncode == 0, done.stderr
    head, row = done.stdout.splitlines()
    assert head.split()[:3] == ["picture", "emotion", "confidence"]
    assert row.split()[0] == "photo.png" and row.split()[1] in EMOTIONS
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_holds_what_the_table_does_and_the_scores(photo):
    done = recognize(photo, "--json")
    [line] = done.stdout.splitlines()
    entry = json.loads(line)
    [face] = entry["faces"]
    assert entry["name"] == "photo.png"
    assert list(face["scores"]) == list(EMOTIONS)
    assert sum(face["scores"].values()) == pytest.approx(1.0, abs=0.01)
    assert face["emotion"] == max(face["scores"], key=face["scores"].get)
    assert 0.9 < face["quality"] <= 1.0


def test_a_video_becomes_times_of_each_expression_a_csv_and_a_video(clip, tmp_path):
    table, annotated = tmp_path / "out.csv", tmp_path / "out.mp4"
    done = recognize(clip, "--csv", table, "--annotate", annotated)
    assert done.returncode == 0, done.stderr
    head, row = done.stdout.splitlines()
    assert head.split()[:4] == ["from", "s", "to", "s"]
    assert [float(cell) for cell in row.split()[:2]] == [0.0, 0.4]
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["time_s"]) for row in rows] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert len({row["face_id"] for row in rows}) == 1
    assert {row["name"] for row in rows} == {"clip.avi"}
    assert all(0.9 < float(row["quality"]) <= 1.0 for row in rows)
    assert cv2.VideoCapture(str(annotated)).get(cv2.CAP_PROP_FRAME_COUNT) == 5


def test_what_a_folder_cannot_give_is_counted_and_named(photo, portrait, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    save(folder / "a.png", portrait)
    (folder / "b.jpg").write_bytes(b"broken")
    (folder / "._c.jpg").write_bytes(b"hidden")
    (folder / "notes.txt").write_text("none")
    done = recognize(folder, "--annotate", tmp_path / "out", "--csv", tmp_path / "out.csv")
    assert done.returncode == 0
    assert "b.jpg" in done.stderr and "1 could not be read" in done.stderr
    assert "1 hidden skipped (._c.jpg)" in done.stderr
    assert "1 not pictures skipped (notes.txt)" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png.png"]
    with (tmp_path / "out.csv").open() as file:
        [row] = csv.DictReader(file)
    assert (row["name"], row["time_s"]) == ("a.png", "")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere.jpg"], "nowhere.jpg"),
        (["{photo}", "--model", "nonsense"], "no model 'nonsense'"),
        (["{photo}", "--min-face", "1"], "--min-face"),
        ([""], "no such source: ''"),
        (["{photo}", "--annotate", "{photo}"], "would overwrite the source"),
        (["{photo}", "--csv", "{photo}"], "would overwrite the source"),
        (["{photo}", "--csv", "nowhere/out.csv"], "nowhere/out.csv"),
        (["{photo}", "--annotate", "nowhere/out.png"], "cannot write nowhere/out.png"),
        (["{photo}", "--annotate", "out.mp4"], "expected the path of a picture"),
        (["{folder}", "--annotate", "out.png"], "expected the path of a folder"),
        (["portrait", "--annotate", "out.png"], "expected the path of a video"),
        (["{photo}", "--csv", "{folder}"], "it is a folder"),
        (["{photo}", "--csv", "-"], "expected the path of a file"),
        (["{text}"], "readme.txt"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(arguments, reason, photo, tmp_path):
    text = tmp_path / "readme.txt"
    text.write_text("no picture")
    before = photo.read_bytes()
    done = recognize(*(a.format(photo=photo, text=text, folder=tmp_path) for a in arguments))
    assert done.returncode == 2
    assert reason in done.stderr and "Traceback" not in done.stderr
    assert photo.read_bytes() == before


def test_a_reader_that_has_enough_is_not_an_error_to_report():
    process = subprocess.Popen(
        [*COMMAND, *MODEL, "portrait", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == b""


def test_ctrl_c_ends_it_without_a_traceback_after_what_was_seen():
    process = subprocess.Popen(
        [*COMMAND, *MODEL, "portrait", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["faces"]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors and "read" in errors
