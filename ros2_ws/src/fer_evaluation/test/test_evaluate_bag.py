# SPDX-License-Identifier: Apache-2.0
"""The offline evaluation from the bag to the files, with the real detector and network."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.serialization import deserialize_message
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)

from fer_evaluation import compare, evaluate_bag, make_bag
from fer_evaluation.bags.bag_reader import OpenBag
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.message_types import MessageTypes
from fer_perception.emotions import EMOTIONS
from fer_perception.images.frame_source import PortraitSource
from replay_bags import TOPIC, image_message, small_images, stamps, write_bag

FRAMES = 24


def portraits(count, width=320, height=240):
    source = PortraitSource(width, height)
    return [source.read() for _ in range(count)]


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A bag of a smiling face, which is not there in the last six frames."""
    frames = portraits(FRAMES - 6) + [np.full((240, 320, 3), 90, np.uint8)] * 6
    return write_bag(tmp_path_factory.mktemp("bags") / "smile", frames, encoding="png")


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    last = stamps(FRAMES)[-6]
    path.write_text(f"stamp_ns,label\n{stamps(1)[0]},happiness\n{last},none\n")
    return path


def run(bag, out, *options):
    return evaluate_bag.main([str(bag), "--out", str(out), "--quiet", *map(str, options)])


@pytest.fixture(scope="module")
def evaluated(bag, labels, tmp_path_factory):
    """The results of a run with labels and a bag of the emotions."""
    out = tmp_path_factory.mktemp("evaluated")
    options = ("--labels", labels, "--write-bag", out / "with_emotions")
    assert run(bag, out / "report", *options) == 0
    return out


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


def report_of(folder):
    return (folder / "report.html").read_text()


def without_host(folder):
    document = metrics_of(folder)
    assert list(document)[-1] == "host"
    text = (folder / "metrics.json").read_text()
    return text[: text.index('"host": {')]


def test_figures_and_table_agree(evaluated):
    document = metrics_of(evaluated / "report")
    metrics = document["metrics"]
    assert metrics["frames"] == FRAMES
    assert metrics["true_faces"] == FRAMES - 6
    assert metrics["coverage"] == metrics["accuracy"] == metrics["idf1"] == 1.0
    assert metrics["confusion"] == {"happiness": {"happiness": FRAMES - 6}}
    assert len(document["source"]["sha256"]) == len(document["model"]["sha256"]) == 64
    assert document["host"]["timings"]["latency_p50_ms"] > 0
    assert document["host"]["libraries"]["onnxruntime"]
    rows = list(csv.DictReader((evaluated / "report" / "emotions.csv").open()))
    assert [int(row["stamp_ns"]) for row in rows] == stamps(FRAMES)
    assert {row["emotion"] for row in rows[: FRAMES - 6]} == {"happiness"}
    assert {row["emotion"] for row in rows[FRAMES - 6 :]} == {""}
    assert sum(float(rows[0][name]) for name in EMOTIONS) == pytest.approx(1.0, abs=1e-3)


def test_two_runs_are_equal_byte_for_byte(bag, labels, evaluated, tmp_path):
    """In a separate process, to exclude state of the first run."""
    command = [sys.executable, "-m", "fer_evaluation.evaluate_bag", str(bag), "--quiet"]
    command += ["--labels", str(labels), "--out", str(tmp_path / "again")]
    subprocess.run(command, check=True)
    assert without_host(tmp_path / "again") == without_host(evaluated / "report")
    for name in ("emotions.csv",):
        again, first = (tmp_path / "again" / name), (evaluated / "report" / name)
        assert again.read_bytes() == first.read_bytes()
    folders = [str(evaluated / "report"), str(tmp_path / "again")]
    assert compare.main([*folders, "--max-drop", "0"]) == 0


def test_the_written_bag_holds_the_emotions_beside_the_images(bag, evaluated):
    with OpenBag(bag) as before, OpenBag(evaluated / "with_emotions") as after:
        [image_topic] = before.topics
        assert set(after.topics) == {
            image_topic,
            "/fer_perception/emotions",
            "/fer_perception/emotion",
        }
        assert list(after.messages({image_topic})) == list(before.messages({image_topic}))
        arrays = [
            deserialize_message(message.data, EmotionArray)
            for message in after.messages({"/fer_perception/emotions"})
        ]
        singles = [
            deserialize_message(message.data, EmotionStamped)
            for message in after.messages({"/fer_perception/emotion"})
        ]
    assert [len(array.faces) for array in arrays] == [1] * (FRAMES - 6) + [0] * 6
    assert [face for array in arrays for face in array.faces] == singles
    assert {face.emotion for face in singles} == {"happiness"}
    stamp = arrays[1].header.stamp
    assert stamp.sec * 10**9 + stamp.nanosec == stamps(2)[1]


def test_no_face_is_in_the_report_unless_it_is_asked_for(bag, evaluated, tmp_path):
    assert "data:image" not in (evaluated / "report" / "report.html").read_text()
    assert run(bag, tmp_path / "faces", "--thumbnails") == 0
    report = (tmp_path / "faces" / "report.html").read_text()
    assert report.count("data:image/jpeg;base64,") == 1


def test_without_ros_and_pytorch_it_runs_as_well(bag, tmp_path, shipped_model):
    """ROS cannot be imported, and PyTorch is not."""
    script = (
        "import sys\n"
        "for name in ('rclpy', 'fer_msgs', 'rcl_interfaces', 'ament_index_python',\n"
        "             'std_msgs', 'sensor_msgs', 'builtin_interfaces', 'ambient_light_driver'):\n"
        "    sys.modules[name] = None\n"
        "from fer_evaluation.evaluate_bag import main\n"
        "code = main(sys.argv[1:])\n"
        "assert 'torch' not in sys.modules\n"
        "sys.exit(code)\n"
    )
    command = [sys.executable, "-c", script, str(bag), "--quiet", "--out", str(tmp_path / "out")]
    result = subprocess.run(
        [*command, "--model", str(shipped_model)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    metrics = metrics_of(tmp_path / "out")["metrics"]
    assert metrics["frames"] == FRAMES
    assert metrics["flash_limit_interventions"] is None
    assert "no lamp: ambient_light_driver is not installed" in report_of(tmp_path / "out")


def test_the_lamp_turns_from_dark_to_the_colour_of_joy(evaluated):
    """As the light's node would, which a test of the whole graph shows."""
    strip = report_of(evaluated / "report").split('<svg class="lamp"')[1].split("</svg>")[0]
    colors = [[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in re.findall("#(.{6})", strip)]
    assert max(colors[0]) < 60
    red, green, blue = colors[-1]
    assert red > 150
    assert red > green > blue


def test_labels_of_a_topic_serve_as_well(labels, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for n, image in enumerate(portraits(4)):
        cv2.imwrite(str(folder / f"{n}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    made = [str(folder), str(tmp_path / "bag"), "--labels", str(labels), "--quiet"]
    assert make_bag.main([*made, "--storage", "sqlite3", "--format", "jpeg"]) == 0
    assert run(tmp_path / "bag", tmp_path / "out", "--labels-topic", "/truth/emotion") == 0
    document = metrics_of(tmp_path / "out")
    assert document["metrics"]["confusion"] == {"happiness": {"happiness": 4}}
    assert document["source"]["labels"] == {"topic": "/truth/emotion", "rows": 2}


def test_labels_that_fit_no_frame_are_told(bag, tmp_path, capsys):
    path = tmp_path / "labels.csv"
    path.write_text("stamp_ns,label,x,y,w,h\n99000000000,fear,1,2,30,30\n")
    assert run(bag, tmp_path / "out", "--labels", path) == 0
    assert "the labels match no frame of this bag" in capsys.readouterr().err


def test_an_interrupted_run_leaves_nothing_and_the_next_one_starts_clean(tmp_path):
    path = write_bag(tmp_path / "bag", portraits(200), encoding="jpeg")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "fer_evaluation.evaluate_bag", str(path)]
    command += ["--out", str(out), "--quiet"]
    signals = ((signal.SIGINT, 130), (signal.SIGHUP, 130), (signal.SIGKILL, -signal.SIGKILL))
    for number, code in signals:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        table = tmp_path / "out.part" / "emotions.csv"
        end_s = time.monotonic() + 60.0
        while not (table.exists() and process.poll() is None):
            assert time.monotonic() < end_s
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == code
        assert (tmp_path / "out.part").exists() == (number == signal.SIGKILL)
        assert not out.exists()
        assert "Traceback" not in errors
    small = write_bag(tmp_path / "small", small_images(3))
    assert run(small, out) == 0
    assert not (tmp_path / "out.part").exists()
    assert len((out / "emotions.csv").read_text().splitlines()) == 1 + 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere"], "nowhere: no such bag"),
        (["BAG", "--labels", "nowhere.csv"], "nowhere.csv: cannot be read: No such file"),
        (["BAG", "--labels-topic", "/truth"], "the bag has no topic /truth"),
        (["BAG", "--image-topic", "/left"], "/left is not in the bag"),
        (["BAG", "--model", "/nowhere"], "no model at /nowhere"),
        (["BAG", "--detector", "odd"], "unknown detector 'odd'"),
        (["BAG", "--write-bag", "BAG"], "exists already"),
    ],
)
def test_what_cannot_be_done_gets_one_line(bag, tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    args = [str(bag) if option == "BAG" else option for option in options]
    assert evaluate_bag.main([*args, "--out", "out", "--quiet"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("evaluate_bag: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "kind"), [("clip.mp4", "video"), ("face.JPG", "picture")])
def test_a_video_or_picture_points_at_make_bag(tmp_path, capsys, name, kind):
    (tmp_path / name).write_bytes(b"anything")
    assert run(tmp_path / name, tmp_path / "out") == 2
    errors = capsys.readouterr().err
    assert f"make one of this {kind} first, with 'make_bag {tmp_path / name} BAG'" in errors


def test_options_are_checked_as_the_nodes_parameters_are(capsys):
    with pytest.raises(SystemExit):
        evaluate_bag.main(["bag", "--min-face-px", "3"])
    assert "min_face_px: expected a value in [12, 10000], got '3'" in capsys.readouterr().err


def test_folders_of_classes_are_evaluated_the_same_way(tmp_path):
    for label, image in (
        ("happiness", portraits(1)[0]),
        ("sadness", portraits(1)[0]),
        ("Neutral", np.full((240, 320, 3), 90, np.uint8)),
    ):
        (tmp_path / "faces" / label).mkdir(parents=True)
        path = tmp_path / "faces" / label / "1.png"
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert run(tmp_path / "faces", tmp_path / "out") == 0
    metrics = metrics_of(tmp_path / "out")["metrics"]
    assert metrics["true_faces"] == 3
    assert metrics["coverage"] == pytest.approx(2 / 3, abs=1e-5)
    assert metrics["confusion"] == {
        "happiness": {"happiness": 1},
        "sadness": {"happiness": 1},
    }
    assert "sadness/1.png" in (tmp_path / "out" / "report.html").read_text()


def test_a_folder_of_nothing_known_is_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "odd").mkdir()
    assert run(tmp_path / "odd", tmp_path / "out") == 2
    assert "holds neither a bag, nor pictures in folders named neutral" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_bags_whose_names_differ_in_a_suffix_have_reports_of_their_own(bag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("run.1", "run.2"):
        shutil.copytree(bag, tmp_path / name)
        assert evaluate_bag.main([name, "--quiet"]) == 0
        assert metrics_of(tmp_path / f"{name}_report")["source"]["name"] == name


def test_an_earlier_report_is_replaced_only_when_asked_for(tmp_path, capsys):
    small = write_bag(tmp_path / "small", small_images(2))
    assert run(small, tmp_path / "out") == 0
    first = (tmp_path / "out" / "metrics.json").read_bytes()
    larger = write_bag(tmp_path / "larger", small_images(3))
    assert run(larger, tmp_path / "out") == 2
    assert "metrics.json is an earlier run's" in capsys.readouterr().err
    assert (tmp_path / "out" / "metrics.json").read_bytes() == first
    assert run(larger, tmp_path / "out", "--overwrite") == 0
    assert metrics_of(tmp_path / "out")["metrics"]["frames"] == 3


def images_that_cannot_be_read(path, count, good=0):
    types = MessageTypes()
    with BagWriter(path, types) as out:
        out.add_topic(TOPIC, "sensor_msgs/msg/Image")
        for n, image in enumerate(small_images(count + good)):
            message = image_message(types.typestore.types, image, stamps(count + good)[n])
            if n < count:
                message.encoding = "rgb99"
            out.write_message(TOPIC, stamps(count + good)[n], message)
    return path


def test_a_bag_without_a_readable_image_is_an_error_and_nothing_is_written(tmp_path, capsys):
    odd = images_that_cannot_be_read(tmp_path / "odd", 3)
    assert run(odd, tmp_path / "out", "--write-bag", tmp_path / "copy") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no image on /camera/image_raw could be read: 3 images not used:" in captured.err
    assert "rgb99" in captured.err and captured.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["odd"]


def test_images_that_are_not_used_are_counted_everywhere(tmp_path, capsys):
    bag = images_that_cannot_be_read(tmp_path / "bag", 2, good=3)
    assert run(bag, tmp_path / "out") == 0
    document = metrics_of(tmp_path / "out")
    [unused] = document["unused"]
    assert (unused["what"], unused["count"]) == ("images", 2)
    assert "rgb99" in unused["reason"]
    assert document["metrics"]["unreadable_frames"] == 2
    assert "warning: 2 images not used:" in capsys.readouterr().err
    assert "2 images not used:" in report_of(tmp_path / "out")


def test_the_written_bag_keeps_the_qos_that_was_offered(tmp_path):
    types = MessageTypes()
    classes = types.typestore.types
    forever = QosTime(2147483647, 4294967295)
    latched = Qos(
        QosHistory.KEEP_LAST,
        1,
        QosReliability.RELIABLE,
        QosDurability.TRANSIENT_LOCAL,
        forever,
        forever,
        QosLiveliness.AUTOMATIC,
        forever,
        False,
    )
    sensor = latched._replace(
        reliability=QosReliability.BEST_EFFORT, durability=QosDurability.VOLATILE
    )
    offered = {TOPIC: (sensor, latched), "/robot_description": (latched,)}
    with BagWriter(tmp_path / "bag", types, "sqlite3") as out:
        out.add_topic(TOPIC, "sensor_msgs/msg/Image", offered[TOPIC])
        out.add_topic("/robot_description", "std_msgs/msg/String", offered["/robot_description"])
        text = classes["std_msgs/msg/String"](data="<robot/>")
        out.write_message("/robot_description", 10**9, text)
        for image, stamp_ns in zip(small_images(2), stamps(2), strict=True):
            out.write_message(TOPIC, stamp_ns, image_message(classes, image, stamp_ns))
    assert run(tmp_path / "bag", tmp_path / "out", "--write-bag", tmp_path / "copy") == 0
    with OpenBag(tmp_path / "copy") as copy:
        assert {name: copy.topics[name].qos for name in offered} == offered
        [message] = copy.messages({"/robot_description"})
    assert message.data == types.write(text, "std_msgs/msg/String")


def test_images_that_are_cut_short_are_used_and_counted(tmp_path):
    types = MessageTypes()
    with BagWriter(tmp_path / "bag", types) as out:
        out.add_topic(f"{TOPIC}/compressed", "sensor_msgs/msg/CompressedImage")
        for n, stamp_ns in enumerate(stamps(3)):
            message = image_message(types.typestore.types, portraits(1)[0], stamp_ns, "jpeg")
            if n:
                message.data = message.data[: len(message.data) * 9 // 10]
            out.write_message(f"{TOPIC}/compressed", stamp_ns, message)
    assert run(tmp_path / "bag", tmp_path / "out") == 0
    document = metrics_of(tmp_path / "out")
    assert document["metrics"]["unreadable_frames"] == 0
    assert document["metrics"]["faces"] == 3
    [warning] = document["warnings"]
    assert "2 images are damaged but used: the JPEG is cut short" in warning
