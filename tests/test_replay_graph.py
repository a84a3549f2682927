# SPDX-License-Identifier: Apache-2.0
"""A bag played into the real perception and light: scored, paused, and looped."""

import json
import subprocess
import sys

import pytest
from fer_msgs.msg import EmotionArray, FaceEvent
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from std_msgs.msg import ColorRGBA, String

from fer_bringup.standalone.launch_file import processes
from fer_evaluation import evaluate_bag
from fer_evaluation.bags.bag_reader import OpenBag
from fer_evaluation.scoring.agreement import label_agreement
from fer_evaluation.scoring.emotions_csv import read_emotions
from fer_perception.images.frame_source import PortraitSource
from replay_bags import write_bag

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
FRAMES = 75


def stamp_ns(message) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """Two and a half seconds of a smiling face."""
    source = PortraitSource(320, 240)
    frames = [source.read() for _ in range(FRAMES)]
    return write_bag(tmp_path_factory.mktemp("bags") / "smile", frames, encoding="png")


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("time_s,label\n0,happiness\n")
    return path


def test_live_and_offline_agree_and_the_graph_ends_with_the_bag(ros_domain, bag, labels, tmp_path):
    out = tmp_path / "live"
    command = [sys.executable, "-m", "fer_bringup.start", "replay", f"bag:={bag}", "rate:=0.5"]
    command += [f"labels:={labels}", f"out:={out}"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert ended.returncode == 0, ended.stderr.decode()
    live = json.loads((out / "metrics.json").read_text())
    assert live["source"]["images_in_bag"] == FRAMES
    assert live["metrics"]["accuracy"] == live["metrics"]["coverage"] == 1.0
    assert live["metrics"]["flash_limit_interventions"] == 0
    assert (out / "report.html").is_file()
    args = [str(bag), "--labels", str(labels), "--out", str(tmp_path / "offline"), "--quiet"]
    assert evaluate_bag.main(args) == 0
    tables = (
        dict(read_emotions(folder / "emotions.csv")) for folder in (tmp_path / "offline", out)
    )
    agreement = label_agreement(*tables)
    assert agreement.frames == live["metrics"]["frames"] > FRAMES // 3
    assert agreement.share >= 0.99


def test_a_pause_holds_the_light_and_a_loop_gives_new_ids(start_specs, peer, bag, tmp_path):
    emotions = peer.collect(EmotionArray, "/fer_perception/emotions", 100)
    colors = peer.collect(ColorRGBA, "/ambient_light/color", LATCHED)
    clocks = peer.collect(Clock, "/clock")
    events = peer.collect(FaceEvent, "/fer_perception/events", 50)
    given = {"bag": str(bag), "loop": "true", "out": str(tmp_path / "live")}
    nodes = start_specs(processes("replay", **given))
    running = tuple(node.node for node in nodes)
    client = peer.node.create_client(SetParameters, "/player/set_parameters")

    def pause(value: bool) -> None:
        parameter = Parameter("paused", value=value).to_parameter_msg()
        answer = peer.call(client, SetParameters.Request(parameters=[parameter]))
        assert answer.results[0].successful

    def ids_after_last_jump() -> set[str]:
        """Return the ids since time last jumped back."""
        ids: set[str] = set()
        last = 0
        for message in emotions:
            if stamp_ns(message) < last:
                ids = set()
            last = stamp_ns(message)
            ids |= {face.face_id for face in message.faces}
        return ids

    # A pause longer than the light's idle timeout.
    peer.wait_until(lambda: len(emotions) > 12, "emotions", 90.0, running)
    first_ids = ids_after_last_jump()
    pause(True)
    # The flash limiter keeps real time: it first completes what it has held back.
    peer.spin(4.0)
    handled, held, stood = len(emotions), colors[-1], clocks[-1].clock
    peer.spin(4.0)
    assert len(emotions) == handled
    assert clocks[-1].clock == stood
    assert FaceEvent.FACE_LEFT not in {event.kind for event in events}, "a pause counts as leaving"
    assert len(clocks) > 50, "the clock went silent"
    assert (colors[-1].r, colors[-1].g, colors[-1].b, colors[-1].a) == pytest.approx(
        (held.r, held.g, held.b, held.a), abs=0.02
    )
    pause(False)

    def jumps() -> int:
        times = [stamp_ns(message) for message in emotions]
        return sum(after < before for before, after in zip(times, times[1:], strict=False))

    peer.wait_until(lambda: jumps() >= 2, "a second lap", 90.0, running)
    seen = len(emotions)
    peer.wait_until(lambda: len(emotions) > seen + 12, "emotions of the second lap", 60.0, running)
    assert len(first_ids) == 1, "the pause lost the face"
    left = {event.face_id for event in events if event.kind == FaceEvent.FACE_LEFT}
    assert first_ids <= left, "who was there before the jump has left"
    assert len(ids_after_last_jump()) == 1, "the jump confused the tracker"
    assert ids_after_last_jump().isdisjoint(first_ids)
    assert {face.emotion for m in emotions for face in m.faces} == {"happiness"}
    assert all(len(message.faces) == 1 for message in emotions)
    # Joy is bright; idle, which a confused light would show, is dim.
    assert max(colors[-1].r, colors[-1].g, colors[-1].b) > 0.75


def test_a_recording_holds_no_image_unless_asked_for(start_node, peer, tmp_path):
    for images in ("false", "true"):
        out = tmp_path / f"images_{images}"
        given = {"out": str(out), "images": images, "image_topic": "/camera/image_raw"}
        [spec] = processes("record", **given)
        recorder = start_node(
            spec.package, spec.executable, spec.name, parameters=dict(spec.parameters)
        )
        camera = start_node(
            "fer_perception", "camera_node", "camera", parameters={"source": "portrait"}
        )
        publisher = peer.node.create_publisher(EmotionArray, "/fer_perception/emotions", 10)
        expected = ["/fer_perception/emotions"]
        expected += ["/camera/image_raw", "/camera/camera_info"] if images == "true" else []

        def heard(recorder=recorder, expected=expected, publisher=publisher) -> bool:
            return all(f"recording {topic}" in recorder.output for topic in expected)

        peer.wait_until(heard, f"a recording of {expected}", nodes=(recorder.node,))
        peer.wait_until(lambda p=publisher: p.get_subscription_count(), "the recorder")
        for _ in range(20):
            publisher.publish(EmotionArray(image_width=7))
            peer.spin(0.05)
        assert recorder.stop() == 0
        assert camera.stop() == 0
        peer.node.destroy_publisher(publisher)
        with OpenBag(out) as bag:
            assert set(bag.topics) - {"/diagnostics"} == set(expected)
            counts = {name: topic.message_count for name, topic in bag.topics.items()}
        assert counts["/fer_perception/emotions"] >= 15


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "bag is empty: name the bag to play"),
        ({"bag": "/nowhere"}, "/nowhere: no such bag"),
        ({"bag": "BAG", "rate": "fast"}, "rate is 'fast': give a number above 0"),
        ({"bag": "BAG", "labels": "/no.csv"}, "labels is '/no.csv': no such file"),
        ({"bag": "BAG", "image_topic": "/up"}, "/up is not in the bag"),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line(bag, given, message):
    values = {name: str(bag) if value == "BAG" else value for name, value in given.items()}
    with pytest.raises(ValueError, match=message) as error:
        processes("replay", **values)
    assert "\n" not in str(error.value)


def test_a_player_without_a_bag_ends_with_one_line(start_node):
    player = start_node(
        "fer_evaluation", "bag_player_node", "player", parameters={"bag": "/nowhere"}
    )
    assert player.node.process.wait(60) == 1
    assert player.output.strip() == "bag_player_node: /nowhere: no such bag"


def test_a_player_whose_bag_gives_no_message_ends_with_an_error(start_node, tmp_path):
    """The index lists messages, but their chunk is damaged."""
    bag = write_bag(tmp_path / "bag", [PortraitSource(64, 48).read()] * 3)
    content = bytearray((bag / "bag.mcap").read_bytes())
    start = content.index(b"\x06", 40)
    content[start + 80 : start + 3 * 64 * 48] = bytes(3 * 64 * 48 - 80)
    (bag / "bag.mcap").write_bytes(content)
    player = start_node(
        "fer_evaluation",
        "bag_player_node",
        "player",
        parameters={"bag": str(bag), "wait_for_subscribers_s": 0.0, "delay_s": 0.0},
    )
    assert player.node.process.wait(60) == 1
    assert "none of the bag's messages can be read" in player.output


def test_without_emotions_nothing_is_scored_and_that_is_an_error(start_node, peer, tmp_path):
    out = tmp_path / "live"
    score = start_node("fer_evaluation", "score_node", "score", parameters={"out": str(out)})
    peer.wait_until((tmp_path / "live.part").exists, "the node", nodes=(score.node,))
    assert score.stop() == 1
    assert "score_node: no emotions were received: nothing was written" in score.output
    assert list(tmp_path.glob("live*")) == []


def test_a_recording_without_a_message_is_an_error(start_node, peer, tmp_path):
    parameters = {"out": str(tmp_path / "bag"), "topics": ["/nobody"]}
    recorder = start_node("fer_evaluation", "bag_recorder_node", "recorder", parameters=parameters)
    peer.wait_until((tmp_path / ".bag.part").exists, "the node", nodes=(recorder.node,))
    assert recorder.stop() == 1
    assert "never published: /nobody" in recorder.output
    assert not (tmp_path / "bag").exists()
    assert not (tmp_path / ".bag.part").exists()


def test_latched_topics_stay_latched_in_a_recording_and_its_playback(start_node, peer, tmp_path):
    publisher = peer.node.create_publisher(String, "/robot_description", LATCHED)
    publisher.publish(String(data="<robot/>"))
    parameters = {"out": str(tmp_path / "bag"), "topics": ["/robot_description"]}
    recorder = start_node("fer_evaluation", "bag_recorder_node", "recorder", parameters=parameters)
    peer.wait_until(lambda: "recording /rob" in recorder.output, "it", nodes=(recorder.node,))
    peer.wait_until(publisher.get_subscription_count, "the recorder")
    peer.spin(1.0)
    assert recorder.stop() == 0
    peer.node.destroy_publisher(publisher)
    with OpenBag(tmp_path / "bag") as bag:
        [qos] = bag.topics["/robot_description"].qos
    assert qos.durability.name == "TRANSIENT_LOCAL"
    player = start_node(
        "fer_evaluation",
        "bag_player_node",
        "player",
        parameters={
            "bag": str(tmp_path / "bag"),
            "wait_for_subscribers_s": 0.0,
            "delay_s": 0.0,
            "settle_s": 60.0,
        },
    )
    peer.wait_until(lambda: peer.node.count_publishers("/robot_description"), "the player")
    peer.spin(1.0)
    heard = peer.collect(String, "/robot_description", LATCHED)
    peer.wait_until(lambda: bool(heard), "the latched message", nodes=(player.node,))
    assert heard[0].data == "<robot/>"


def test_frozen_stamps_are_scored_by_the_time_of_receipt(start_node, peer, tmp_path):
    out = tmp_path / "live"
    score = start_node("fer_evaluation", "score_node", "score", parameters={"out": str(out)})
    publisher = peer.node.create_publisher(EmotionArray, "/emotions", 10)
    peer.wait_until(publisher.get_subscription_count, "the node", nodes=(score.node,))
    message = EmotionArray(image_width=320, image_height=240)
    message.header.stamp.sec = 5
    for _ in range(40):
        publisher.publish(message)
        peer.spin(0.05)
    assert score.stop() == 0
    peer.node.destroy_publisher(publisher)
    document = json.loads((out / "metrics.json").read_text())
    assert document["warnings"] == ["the stamps stand still: the time of receipt is used"]
    assert document["metrics"]["duration_s"] > 1.0
    # An earlier report is not replaced.
    again = start_node("fer_evaluation", "score_node", "score", parameters={"out": str(out)})
    assert again.node.process.wait(60) == 1
    assert "metrics.json is an earlier run's" in again.output
