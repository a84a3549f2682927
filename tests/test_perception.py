# SPDX-License-Identifier: Apache-2.0
"""The emotion and camera nodes as processes, observed over DDS."""

import math
import shutil
import signal
import subprocess
import sys
from array import array
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from fer_msgs.msg import EmotionArray, EmotionStamped
from fer_msgs.srv import RecognizeEmotions
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import DescribeParameters, ListParameters, SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from fer_perception.emotions import EMOTIONS
from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message, to_rgb
from fer_perception.recognition.installed_models import DEFAULT_MODEL

PORTRAIT = PortraitSource().read()
EMPTY = np.full((480, 640, 3), 90, np.uint8)
# A face behind a blurred lens is recognised with less than full confidence.
BLURRED = cv2.GaussianBlur(PORTRAIT, (51, 51), 0)
NODE = "/fer_perception"


def header(stamp_s: float, frame_id: str = "camera_optical_frame") -> Header:
    message = Header(frame_id=frame_id)
    message.stamp.sec = int(stamp_s)
    message.stamp.nanosec = round((stamp_s - int(stamp_s)) * 1e9)
    return message


def stamp_s(message: EmotionArray) -> float:
    return message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec


class Perception:
    """A running emotion node and the test's end of its topics."""

    def __init__(self, start_node, peer, parameters=None, transport="raw"):
        self.peer = peer
        self.emotions = peer.collect(EmotionArray, f"{NODE}/emotions")
        self.single = peer.collect(EmotionStamped, f"{NODE}/emotion")
        self.diagnostics = peer.collect(DiagnosticArray, "/diagnostics")
        image_type = CompressedImage if transport == "compressed" else Image
        topic = "/image/compressed" if transport == "compressed" else "/image"
        self.images = peer.node.create_publisher(image_type, topic, qos_profile_sensor_data)
        self.started = start_node(
            "fer_perception",
            "emotion_node",
            "fer_perception",
            parameters={"image_transport": transport, **(parameters or {})},
        )
        self.clock_s = 100.0

    def wait_until(self, condition, what):
        self.peer.wait_until(condition, what, nodes=(self.started.node,))

    def wait_for_subscription(self):
        self.wait_until(self.images.get_subscription_count, "the node's subscription")

    def show(self, message) -> None:
        """Publish one image as it is."""
        self.wait_for_subscription()
        self.images.publish(message)

    def show_until_error(self, message, count: int) -> None:
        """Publish an image repeatedly until ``count`` errors are logged."""

        def is_logged() -> bool:
            self.images.publish(message)
            return len(self.errors()) >= count

        self.wait_until(is_logged, f"error number {count}")

    def answer(self, image=PORTRAIT, frame_id="camera_optical_frame") -> EmotionArray:
        """Publish a valid image repeatedly (best effort) until a result arrives."""
        self.wait_for_subscription()
        self.clock_s += 0.1
        wanted = self.clock_s
        message = to_image_message(image, header(wanted, frame_id))
        found: list[EmotionArray] = []

        def answered() -> bool:
            self.images.publish(message)
            self.peer.spin(0.1)
            found.extend(m for m in self.emotions if abs(stamp_s(m) - wanted) < 1e-6)
            return bool(found)

        self.wait_until(answered, f"the answer to the image of {wanted:.1f} s")
        return found[0]

    def set_parameter(self, name, value):
        client = self.peer.node.create_client(SetParameters, f"{NODE}/set_parameters")
        parameter: ParameterMessage = Parameter(name, value=value).to_parameter_msg()
        request = SetParameters.Request(parameters=[parameter])
        return self.peer.call(client, request).results[0]

    def state(self) -> str:
        client = self.peer.node.create_client(GetState, f"{NODE}/get_state")
        return self.peer.call(client, GetState.Request()).current_state.label

    def status(self, part: str) -> DiagnosticStatus | None:
        """Return the last diagnostic status of a part of the node."""
        for array_ in reversed(self.diagnostics):
            for status in array_.status:
                if status.name == f"fer_perception: {part}":
                    return status
        return None

    def errors(self) -> list[str]:
        return [line for line in self.started.output.splitlines() if "[ERROR]" in line]


@pytest.fixture
def perception(start_node, peer):
    """Start an emotion node: ``perception(parameters, transport)``."""
    return lambda parameters=None, transport="raw": Perception(
        start_node, peer, parameters, transport
    )


def test_node_does_not_load_what_only_training_needs():
    code = "import sys, fer_perception.nodes.emotion_node; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert not {"torch", "sklearn", "matplotlib", "pandas"} & set(loaded.decode().split())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_camera_to_emotions_and_a_clean_end(start_node, peer, number):
    received = peer.collect(EmotionArray, f"{NODE}/emotions")
    infos = peer.collect(CameraInfo, "/camera/camera_info", qos_profile_sensor_data)
    frames = peer.collect(Image, "/camera/image_raw", qos_profile_sensor_data)
    camera = start_node(
        "fer_perception",
        "camera_node",
        "camera",
        parameters={"source": "portrait", "frame_id": "head_camera_optical_frame"},
    )
    perception = start_node(
        "fer_perception",
        "emotion_node",
        "fer_perception",
        remappings=(("image", "/camera/image_raw"),),
    )
    peer.wait_until(
        lambda: len([m for m in received if m.faces]) >= 10 and infos and frames,
        "emotions of the portrait",
        nodes=(camera.node, perception.node),
    )
    last = received[-1]
    assert last.header.frame_id == "head_camera_optical_frame"
    assert (last.image_width, last.image_height) == (infos[-1].width, infos[-1].height)
    assert frames[-1].encoding == "rgb8"
    [face] = last.faces
    assert face.emotion == "happiness"
    seen = [m for m in received if m.faces]
    for before, after in zip(seen, seen[1:], strict=False):
        # A machine that stalls for longer than max_lost_s loses the face, and rightly so.
        if stamp_s(after) - stamp_s(before) < 1.0:
            assert after.faces[0].face_id == before.faces[0].face_id
    stamps = [stamp_s(m) for m in received]
    assert stamps == sorted(stamps) and len(set(stamps)) == len(stamps)
    assert perception.stop(number) == 0
    assert camera.stop(number) == 0


def test_message_holds_what_its_definition_promises(perception):
    node = perception()
    message = node.answer(frame_id="some_frame")
    assert message.header.frame_id == "some_frame"
    [face] = message.faces
    assert face.header == message.header
    assert sum(face.scores) == pytest.approx(1.0, abs=1e-4)
    assert face.confidence == pytest.approx(max(face.scores))
    assert face.emotion == EMOTIONS[int(np.argmax(face.scores))]
    assert 0.0 <= face.entropy <= 1.0
    assert -1.0 <= face.valence <= 1.0 and -1.0 <= face.arousal <= 1.0
    assert 0.9 <= face.detection_confidence <= 1.0
    assert 0.9 <= face.quality <= 1.0 and face.quality_faults == 0
    assert face.model_id.startswith(f"{DEFAULT_MODEL}@")
    latency = face.processing_latency
    assert latency.sec + 1e-9 * latency.nanosec > 0.0
    roi = face.roi
    assert roi.x_offset + roi.width <= 640 and roi.y_offset + roi.height <= 480
    assert all(roi.x_offset < point.x < roi.x_offset + roi.width for point in face.landmarks)
    node.wait_until(lambda: node.single, "the face on its own topic")
    assert node.single[0].face_id == face.face_id


def test_nobody_is_an_empty_array_and_not_silence(perception):
    node = perception()
    assert node.answer(EMPTY).faces == []
    assert len(node.answer(PORTRAIT).faces) == 1
    assert node.answer(EMPTY).faces == []


def malformed_images() -> dict[str, Image]:
    good = to_image_message(PORTRAIT, header(1.0))

    def changed(**fields) -> Image:
        message = Image(
            header=good.header, height=480, width=640, step=1920, encoding="rgb8", data=good.data
        )
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    return {
        "wrong encoding": changed(encoding="32FC7"),
        "short data": changed(data=good.data[:1000]),
        "no data": changed(data=array("B")),
        "0x0": changed(width=0, height=0, step=0, data=array("B")),
        "20000x20000 claimed": changed(width=20000, height=20000, step=60000),
        "step too small": changed(step=100),
        "empty encoding": changed(encoding=""),
    }


def test_each_malformed_image_gives_one_error_and_the_next_is_answered(perception):
    node = perception()
    node.answer()
    for count, (fault, image) in enumerate(malformed_images().items(), start=1):
        node.show_until_error(image, count)
        for _ in range(3):
            node.show(image)
            node.peer.spin(0.05)
        assert len(node.answer().faces) == 1, fault
        assert len(node.errors()) == count, fault
        assert "an image on /image cannot be used" in node.errors()[-1]


def test_compressed_images_good_and_truncated(perception):
    node = perception(transport="compressed")
    blob = cv2.imencode(".jpg", PORTRAIT[..., ::-1])[1].tobytes()

    def show_until_answered(data: bytes, at_s: float) -> EmotionArray:
        message = CompressedImage(header=header(at_s), format="jpeg", data=array("B", data))
        found: list[EmotionArray] = []

        def answered() -> bool:
            node.show(message)
            node.peer.spin(0.1)
            found.extend(m for m in node.emotions if abs(stamp_s(m) - at_s) < 1e-6)
            return bool(found)

        node.wait_until(answered, "the answer to a compressed image")
        return found[0]

    assert len(show_until_answered(blob, 1.0).faces) == 1
    for count, broken in enumerate((b"", b"nothing of the kind", blob[:200]), start=1):
        message = CompressedImage(header=header(1.5), format="jpeg", data=array("B", broken))
        node.show_until_error(message, count)
        assert len(show_until_answered(blob, 1.0 + count).faces) == 1
        assert len(node.errors()) == count and "cannot be used" in node.errors()[-1]


def test_damaged_and_nearly_black_images_are_counted_and_logged_once(perception):
    node = perception(transport="compressed")
    cut = cv2.imencode(".jpg", PORTRAIT[..., ::-1])[1].tobytes()[:-2000]
    black = cv2.imencode(".jpg", PORTRAIT // 64)[1].tobytes()
    for data, key, words in (
        (cut, "damaged", "of the images are damaged and decoded only in part"),
        (black, "nearly_black", "of the images are nearly black"),
    ):
        message = CompressedImage(format="jpeg", data=array("B", data))

        def named(message=message, key=key, words=words) -> bool:
            node.clock_s += 0.1
            message.header = header(node.clock_s)
            node.show(message)
            node.peer.spin(0.1)
            return any(
                status.level == DiagnosticStatus.WARN
                and words in status.message
                and int({pair.key: pair.value for pair in status.values}[key]) > 2
                for found in node.diagnostics
                for status in found.status
                if status.name == "fer_perception: frames"
            )

        node.wait_until(named, words)
    output = node.started.output
    assert output.count("is damaged: the JPEG") == output.count("are nearly black: is") == 1


def test_stamps_out_of_order_and_a_clock_set_back(perception):
    node = perception()
    ids = [node.answer().faces[0].face_id for _ in range(2)]
    node.clock_s -= 0.35  # an older frame that was overtaken
    ids.append(node.answer().faces[0].face_id)
    assert len(set(ids)) == 1
    node.clock_s = 3.0  # a bag that is replayed
    assert node.answer().faces[0].face_id not in ids
    node.clock_s = -0.1  # a camera that does not stamp
    assert len(node.answer().faces) == 1


def test_few_images_are_processed_while_nobody_is_there_and_all_once_someone_comes(perception):
    node = perception({"idle_rate_hz": 1.0})
    node.wait_for_subscription()

    def show(image) -> None:
        node.clock_s += 0.05
        node.show(to_image_message(image, header(node.clock_s)))

    def is_idle() -> bool:
        show(EMPTY)
        status = node.status("frames")
        return status is not None and facts(status)["idle"] == "True"

    def answers(image) -> int:
        before = len(node.emotions)
        for _ in range(20):
            show(image)
            node.peer.spin(0.05)
        return len(node.emotions) - before

    node.wait_until(is_idle, "the idle rate")
    assert answers(EMPTY) <= 2
    status = node.status("frames")
    assert status.level == DiagnosticStatus.OK and "nobody is there" in status.message
    assert len(node.answer().faces) == 1
    assert answers(PORTRAIT) > 5
    refused = node.set_parameter("idle_rate_hz", 0.5)
    assert not refused.successful and "expected 0 or at least 1, got 0.5" in refused.reason


def broken_model(folder: Path, fault: str) -> Path:
    shutil.copytree(Path(__file__).parent.parent / "models" / DEFAULT_MODEL, folder)
    weights = folder / "model.safetensors"
    if fault == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    return folder


@pytest.mark.parametrize("fault", ["missing", "altered"])
def test_unusable_model_is_one_error_and_another_one_is_taken(perception, tmp_path, fault):
    folder = broken_model(tmp_path / "mine", fault)
    node = perception({"model": str(folder)})
    node.wait_until(lambda: node.status("model"), "diagnostics")
    status = node.status("model")
    assert status.level == DiagnosticStatus.ERROR and str(folder) in status.message
    [error] = node.errors()
    assert str(folder) in error
    assert node.state() == "unconfigured"
    assert node.set_parameter("model", DEFAULT_MODEL).successful
    assert len(node.answer().faces) == 1
    assert node.state() == "active"


def test_a_missing_execution_provider_is_named_and_the_cpu_is_used_and_reported(perception):
    if "OpenVINOExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has OpenVINO: its absence was not checked")
    node = perception({"execution_provider": "openvino"})
    assert len(node.answer().faces) == 1
    assert node.started.output.count("install onnxruntime-openvino; using the CPU") == 1
    node.wait_until(lambda: node.status("model"), "diagnostics")
    assert facts(node.status("model"))["execution_provider"] == "cpu"
    refused = node.set_parameter("execution_provider", "abacus")
    assert not refused.successful and "abacus" in refused.reason


def test_unknown_detector_at_the_start_is_one_error_and_another_one_is_taken(perception):
    node = perception({"detector": "crystal_ball"})
    node.wait_until(node.errors, "an error")
    assert "crystal_ball" in node.errors()[0] and "mtcnn" in node.errors()[0]
    assert node.set_parameter("detector", "mtcnn").successful
    assert len(node.answer().faces) == 1
    assert len(node.errors()) == 1


def test_absurd_parameter_values_are_refused_and_the_node_answers(perception):
    node = perception()
    node.wait_for_subscription()
    for name, value in (
        ("detector", "crystal_ball"),
        ("model", "no_such_model"),
        ("model", "/no/such/folder"),
        ("min_face_px", 3.0),
        ("min_face_px", math.nan),
        ("detection_border", 7.0),
        ("detection_interval", 10),
        ("detection_interval_s", -1.0),
        ("region_left", 1.0),
        ("region_bottom", math.nan),
        ("processing_rate_hz", -1.0),
        ("max_latency_s", math.nan),
        ("precision", "float8"),
        ("detector_backend", "cuda"),
        ("image_transport", "carrier_pigeon"),
        ("threads", 0),
        ("smoothing_time_constant_s", -1.0),
        ("smoothing_time_constant_s", math.nan),
        ("min_confidence", "high"),
        ("autostart", False),
        ("no_such_parameter", 1),
    ):
        result = node.set_parameter(name, value)
        assert not result.successful and result.reason, (name, value)
    assert len(node.answer().faces) == 1


def test_wrong_start_values_leave_the_node_unconfigured_until_they_are_set(perception):
    asked = {"min_face_px": 3.0, "image_transport": "carrier_pigeon", "threads": "two"}
    node = perception(asked)
    node.wait_until(node.errors, "an error")
    [text] = node.errors()
    assert all(f"{name}: expected" in text and str(asked[name]) in text for name in asked), text
    assert node.state() == "unconfigured"
    for name, value in {"min_face_px": 40, "image_transport": "raw", "threads": "1"}.items():
        assert node.set_parameter(name, value).successful
    assert len(node.answer().faces) == 1


def test_old_name_of_a_parameter_is_an_error_that_names_the_new_one(perception):
    node = perception({"detection_interval": 5})
    assert len(node.answer().faces) == 1
    [text] = node.errors()
    assert "detection_interval, here 5" in text and "detection_interval_s" in text


def test_numbers_are_taken_as_typed_at_the_start_and_while_the_node_runs(perception):
    node = perception({"min_face_px": 400, "threads": 1.0})
    assert node.answer().faces == []
    assert node.set_parameter("min_face_px", 60).successful
    assert node.set_parameter("max_lost_s", "2").successful
    assert len(node.answer().faces) == 1
    assert not node.errors()


def test_parameters_take_effect_while_the_node_runs(perception):
    node = perception()
    assert len(node.answer().faces) == 1
    assert node.set_parameter("min_face_px", 400.0).successful
    assert node.answer().faces == []
    assert node.set_parameter("min_face_px", 60.0).successful
    assert node.set_parameter("min_confidence", 1.0).successful
    assert node.answer(BLURRED).faces[0].emotion == EmotionStamped.UNKNOWN
    assert node.set_parameter("flip_average", True).successful
    assert node.set_parameter("region_right", 0.2).successful
    assert node.answer().faces == []
    assert node.set_parameter("region_right", 1.0).successful
    assert node.set_parameter("detector_backend", "onnxruntime").successful
    assert node.set_parameter("precision", "float32").successful
    assert node.set_parameter("detection_interval_s", 0.0).successful
    assert node.set_parameter("min_detection_confidence", 0.5).successful
    assert len(node.answer().faces) == 1


def test_every_parameter_is_described(perception):
    node = perception()
    node.wait_for_subscription()
    list_client = node.peer.node.create_client(ListParameters, f"{NODE}/list_parameters")
    names = node.peer.call(list_client, ListParameters.Request()).result.names
    client = node.peer.node.create_client(DescribeParameters, f"{NODE}/describe_parameters")
    answer = node.peer.call(client, DescribeParameters.Request(names=names))
    own = [d for d in answer.descriptors if not d.name.startswith(("qos_overrides", "use_sim"))]
    assert len(own) > 10
    assert not [d.name for d in own if not d.description and "type_description" not in d.name]


def test_annotated_image_is_made_for_subscribers(perception):
    node = perception()
    node.answer()
    annotated = node.peer.collect(Image, f"{NODE}/annotated", qos_profile_sensor_data)

    def seen() -> bool:
        node.answer()
        return bool(annotated)

    node.wait_until(seen, "an annotated image")
    drawn = to_rgb(annotated[-1])
    assert drawn.shape == PORTRAIT.shape
    changed = (drawn != PORTRAIT).any(axis=2).mean()
    assert 0.02 < changed < 0.6


def test_service_answers_without_tracking_and_names_bad_images(perception):
    node = perception()
    client = node.peer.node.create_client(RecognizeEmotions, f"{NODE}/recognize")
    image = to_image_message(PORTRAIT, header(7.0, "photo"))
    first, second = (
        node.peer.call(client, RecognizeEmotions.Request(image=image)) for _ in range(2)
    )
    assert first.success and first.message == ""
    assert first.emotions.header.frame_id == "photo"
    assert first.emotions.faces[0].face_id == ""
    np.testing.assert_array_equal(first.emotions.faces[0].scores, second.emotions.faces[0].scores)
    image.encoding = "32FC7"
    refused = node.peer.call(client, RecognizeEmotions.Request(image=image))
    assert not refused.success and "32FC7" in refused.message


def test_lifecycle_can_be_driven_from_outside(perception):
    node = perception({"autostart": False})
    client = node.peer.node.create_client(ChangeState, f"{NODE}/change_state")

    def transition(label: str) -> bool:
        request = ChangeState.Request()
        request.transition.label = label
        return node.peer.call(client, request).success

    assert node.state() == "unconfigured"
    assert transition("configure") and node.state() == "inactive"
    assert node.images.get_subscription_count() == 0
    assert transition("activate")
    assert len(node.answer().faces) == 1
    assert transition("deactivate") and transition("activate")
    assert len(node.answer().faces) == 1
    assert transition("deactivate") and transition("cleanup")
    assert node.state() == "unconfigured"
    assert transition("shutdown") and node.state() == "finalized"


def facts(status: DiagnosticStatus) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def test_diagnostics_tell_of_work_and_of_silence(perception):
    node = perception()
    for _ in range(5):
        node.answer()
    working = (DiagnosticStatus.OK, "frames/s")
    node.wait_until(
        lambda: (
            (s := node.status("frames"))
            and s.level == working[0]
            and working[1] in s.message
            and int(facts(s)["processed"]) >= 5
        ),
        "diagnostics of a working node",
    )
    assert facts(node.status("frames"))["topic"] == "/image"
    latency = node.status("latency")
    assert latency.level == DiagnosticStatus.OK
    assert float(facts(latency)["latency_p95_ms"]) > 0
    node.wait_until(
        lambda: (
            (s := node.status("frames")).level == DiagnosticStatus.WARN
            and "no images on /image: its publisher sends none, or they are lost" in s.message
        ),
        "diagnostics of a silent camera",
    )


def test_camera_that_is_not_there_is_said_once_and_the_node_lives(start_node, peer, tmp_path):
    frames = peer.collect(Image, "/camera/image_raw", qos_profile_sensor_data)
    folder = tmp_path / "frames"
    camera = start_node(
        "fer_perception", "camera_node", "camera", parameters={"source": str(folder)}
    )
    peer.wait_until(lambda: "no such source" in camera.output, "an error", nodes=(camera.node,))
    peer.spin(2.5)
    assert camera.output.count("no such source") == 1
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), PORTRAIT[..., ::-1])
    peer.wait_until(lambda: frames, "frames of the folder", nodes=(camera.node,))
    np.testing.assert_array_equal(to_rgb(frames[0]), PORTRAIT)


def test_video_without_loop_ends_and_the_node_lives(start_node, peer, tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20.0, (64, 48))
    for _ in range(40):
        writer.write(np.full((48, 64, 3), 128, np.uint8))
    writer.release()
    frames = peer.collect(Image, "/camera/image_raw", qos_profile_sensor_data)
    camera = start_node(
        "fer_perception",
        "camera_node",
        "camera",
        parameters={"source": str(path), "loop": False},
    )
    peer.wait_until(lambda: "the source has ended" in camera.output, "the end of the clip")
    assert 1 <= len(frames) <= 40 and camera.running
