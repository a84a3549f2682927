# SPDX-License-Identifier: Apache-2.0
"""The bridges in a graph with the emotion node."""

import importlib.util

import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, RegionOfInterest

from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message

LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
PORTRAIT = PortraitSource().read()


def needs(package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: the bridge to it was not started")
    return importlib.import_module(f"{package}.msg")


@pytest.fixture
def faces(peer):
    """``faces(ids, stamp_s)`` publishes as the emotion node does."""
    publisher = peer.node.create_publisher(EmotionArray, "/emotions", 10)

    def publish(ids, stamp_s=1, emotion="happiness"):
        message = EmotionArray(image_width=640, image_height=480)
        message.header.stamp.sec = stamp_s
        message.header.frame_id = "camera_optical_frame"
        for face_id in ids:
            face = EmotionStamped(
                header=message.header, face_id=face_id, emotion=emotion, confidence=0.9
            )
            face.roi = RegionOfInterest(x_offset=220, y_offset=80, width=160, height=200)
            face.scores[1] = 1.0
            for index, (x, y) in enumerate(
                [(270, 150), (330, 150), (300, 190), (275, 220), (325, 220)]
            ):
                face.landmarks[index].x, face.landmarks[index].y = float(x), float(y)
            message.faces.append(face)
        publisher.publish(message)
        peer.spin(0.1)

    return publish


def tracked_face(peer, faces, tracked):
    """Show one face until it is tracked, and return its public id."""

    def ids():
        faces(["f0001"])
        return tracked and tracked[-1].ids

    peer.wait_until(ids, "a tracked face")
    [face_id] = tracked[-1].ids
    return face_id


@pytest.mark.parametrize("executable", ["ros4hri_node", "vision_msgs_node"])
def test_a_bridge_without_its_messages_says_so_in_one_line(start_node, peer, executable):
    package = "hri_msgs" if executable == "ros4hri_node" else "vision_msgs"
    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"{package} is installed: its absence was not checked")
    node = start_node("fer_bridges", executable, "bridge")
    peer.wait_until(lambda: not node.node.running, "the end of the bridge")
    assert f"messages of {package} are missing" in node.output
    assert "Traceback" not in node.output


def test_ros4hri_publishes_faces_while_they_are_there(start_node, peer, faces):
    hri = needs("hri_msgs")
    node = start_node("fer_bridges", "ros4hri_node", "ros4hri")
    tracked = peer.collect(hri.IdsList, "/humans/faces/tracked", LATCHED)
    face_id = tracked_face(peer, faces, tracked)
    expressions = peer.collect(hri.Expression, f"/humans/faces/{face_id}/expression")
    rois = peer.collect(hri.NormalizedRegionOfInterest2D, f"/humans/faces/{face_id}/roi")
    landmarks = peer.collect(hri.FacialLandmarks, f"/humans/faces/{face_id}/landmarks")

    def shown():
        faces(["f0001"])
        return expressions and rois and landmarks

    peer.wait_until(shown, "a face by REP-155", nodes=(node.node,))
    assert tracked[-1].ids == [face_id]
    assert expressions[-1].expression == "happy"
    assert expressions[-1].header.frame_id == "camera_optical_frame"
    assert rois[-1].xmin == pytest.approx(220 / 640)
    peer.wait_until(lambda: (faces([]), tracked[-1].ids == [])[1], "an empty list")
    topics = dict(peer.node.get_topic_names_and_types())
    assert f"/humans/faces/{face_id}/roi" in topics
    assert f"/humans/faces/{face_id}/cropped" not in topics  # no picture unless asked for


def test_a_late_joiner_of_any_kind_hears_who_is_there(start_node, peer, faces):
    hri = needs("hri_msgs")
    node = start_node("fer_bridges", "ros4hri_node", "ros4hri")
    face_id = tracked_face(peer, faces, peer.collect(hri.IdsList, "/humans/faces/tracked"))
    for qos in (QoSProfile(depth=1), LATCHED):
        late = peer.collect(hri.IdsList, "/humans/faces/tracked", qos)
        peer.wait_until(lambda late=late: (faces(["f0001"]), late)[1], "the list")
        assert late[-1].ids == [face_id], node.output


def test_a_silent_source_and_the_end_empty_the_list(start_node, peer, faces):
    hri = needs("hri_msgs")
    tracked = peer.collect(hri.IdsList, "/humans/faces/tracked")
    node = start_node("fer_bridges", "ros4hri_node", "ros4hri", parameters={"silent_after_s": 1})
    first = tracked_face(peer, faces, tracked)
    peer.wait_until(lambda: tracked[-1].ids == [], "an empty list", nodes=(node.node,))
    assert tracked[-1].header.frame_id == "camera_optical_frame"
    # The source may have restarted: its f0001 need not be the same face.
    second = tracked_face(peer, faces, tracked)
    assert first != second and first.split("_")[0] == second.split("_")[0] == "f0001"
    faces(["f0001"])
    assert node.stop() == 0
    peer.wait_until(lambda: tracked[-1].ids == [], "an empty list at the end")


def test_a_source_that_starts_again_gets_new_ids(start_node, peer, faces):
    hri = needs("hri_msgs")
    tracked = peer.collect(hri.IdsList, "/humans/faces/tracked")
    start_node("fer_bridges", "ros4hri_node", "ros4hri", parameters={"silent_after_s": 60.0})
    first = tracked_face(peer, faces, tracked)
    peer.node.create_publisher(EmotionArray, "/emotions", 10)
    peer.wait_until(
        lambda: (faces(["f0001"]), tracked[-1].ids != [first])[1], "the id of the second run"
    )


def test_faces_of_two_robots_have_ids_of_their_own(start_node, peer, faces):
    hri = needs("hri_msgs")
    tracked = peer.collect(hri.IdsList, "/humans/faces/tracked")
    for robot in ("robot1", "robot2"):
        start_node(
            "fer_bridges",
            "ros4hri_node",
            "ros4hri",
            namespace=robot,
            remappings=(("emotions", "/emotions"),),
        )

    def ids():
        faces(["f0001"])
        return {face_id for message in tracked for face_id in message.ids}

    peer.wait_until(lambda: len(ids()) == 2, "the faces of both robots")
    assert sorted(face_id.rsplit("_", 1)[0] for face_id in ids()) == [
        "robot1_f0001",
        "robot2_f0001",
    ]


def test_ros4hri_publishes_pictures_when_asked(start_node, peer, faces):
    hri = needs("hri_msgs")
    node = start_node("fer_bridges", "ros4hri_node", "ros4hri", parameters={"publish_crops": True})
    tracked = peer.collect(hri.IdsList, "/humans/faces/tracked")
    face_id = tracked_face(peer, faces, tracked)
    crops = peer.collect(Image, f"/humans/faces/{face_id}/cropped")
    aligned = peer.collect(Image, f"/humans/faces/{face_id}/aligned")
    images = peer.node.create_publisher(Image, "/image", 10)
    stamp_s = 0

    def shown():
        nonlocal stamp_s
        stamp_s += 1
        message = to_image_message(PORTRAIT, EmotionArray().header)
        message.header.stamp.sec = stamp_s
        images.publish(message)
        peer.spin(0.1)
        faces(["f0001"], stamp_s)
        return crops and aligned

    peer.wait_until(shown, "pictures of the face", nodes=(node.node,))
    assert (crops[-1].width, crops[-1].height, crops[-1].encoding) == (128, 128, "rgb8")


def test_vision_msgs_gets_detections_and_the_latched_classes(start_node, peer, faces):
    vision = needs("vision_msgs")
    node = start_node("fer_bridges", "vision_msgs_node", "vision_msgs_bridge")
    detections = peer.collect(vision.Detection2DArray, "/vision_msgs_bridge/detections")
    peer.wait_until(
        lambda: (faces(["f0001", "f0002"]), detections)[1], "detections", nodes=(node.node,)
    )
    assert [d.id for d in detections[-1].detections] == ["f0001", "f0002"]
    # A late subscriber also receives the classes.
    labels = peer.collect(vision.LabelInfo, "/vision_msgs_bridge/label_info", LATCHED)
    peer.wait_until(lambda: labels, "the classes")
    assert labels[0].class_map[1].class_name == "happiness"


@pytest.mark.parametrize("qos", [LATCHED, QoSProfile(depth=10)])
def test_faces_of_another_detector_get_expressions(start_node, peer, qos):
    hri = needs("hri_msgs")
    node = start_node("fer_bridges", "hri_expression_node", "hri_expression")
    tracked = peer.node.create_publisher(hri.IdsList, "/humans/faces/tracked", qos)
    crops = peer.node.create_publisher(Image, "/humans/faces/abc/cropped", 10)
    expressions = peer.collect(hri.Expression, "/humans/faces/abc/expression")
    face = to_image_message(PORTRAIT[40:360, 160:480], EmotionArray().header)
    face.header.frame_id = "face_abc"

    def recognised():
        tracked.publish(hri.IdsList(ids=["abc"]))
        crops.publish(face)
        peer.spin(0.1)
        return [e for e in expressions if e.expression]

    peer.wait_until(recognised, "an expression", nodes=(node.node,))
    last = expressions[-1]
    assert (last.expression, last.header.frame_id) == ("happy", "face_abc")
    tracked.publish(hri.IdsList(ids=[]))
    peer.wait_until(
        lambda: not peer.node.get_publishers_info_by_topic("/humans/faces/abc/expression"),
        "the end of the face's topic",
    )


def test_a_list_that_is_published_on_change_only_is_heard_later(start_node, peer):
    hri = needs("hri_msgs")
    tracked = peer.node.create_publisher(hri.IdsList, "/humans/faces/tracked", LATCHED)
    tracked.publish(hri.IdsList(ids=["abc"]))
    node = start_node("fer_bridges", "hri_expression_node", "hri_expression")
    peer.wait_until(
        lambda: peer.node.get_publishers_info_by_topic("/humans/faces/abc/expression"),
        "the face's topic",
        nodes=(node.node,),
    )
    # Another camera's list does not affect this one's faces.
    other = hri.IdsList(ids=["xyz"])
    other.header.frame_id = "another_camera"
    tracked.publish(other)
    peer.wait_until(
        lambda: peer.node.get_publishers_info_by_topic("/humans/faces/xyz/expression"),
        "the other face's topic",
        nodes=(node.node,),
    )
    assert peer.node.get_publishers_info_by_topic("/humans/faces/abc/expression")
