# SPDX-License-Identifier: Apache-2.0
"""Behaviours see people through fer_client, and actors stand in for people."""

import asyncio
import re
import subprocess
import sys
import threading
import time

import pytest
import rclpy
from action_msgs.msg import GoalStatus, GoalStatusArray
from fer_msgs.action import WaitForExpression
from fer_msgs.msg import EmotionArray, EmotionStamped, FaceEvent
from rclpy.action import ActionClient
from rclpy.executors import MultiThreadedExecutor
from rclpy.qos import qos_profile_action_status_default
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from std_msgs.msg import ColorRGBA, Empty

from ambient_light_driver.color.palette import load_palette
from fer_client import ExpressionMonitor, Reason, WaitTimeout
from fer_client.nodes.wait_action import create_wait_client

EMOTIONS_TOPIC = "/fer_perception/emotions"
ACTION = "/expression_server/wait_for_expression"
RESULT = WaitForExpression.Result


class Perception:
    """Publishes faces, each image a tenth of a second after the one before."""

    def __init__(self, peer):
        self._peer = peer
        self._stamp_s = 1000.0
        self.start()

    def start(self):
        self.publisher = self._peer.node.create_publisher(EmotionArray, EMOTIONS_TOPIC, 10)

    def stop(self):
        self._peer.node.destroy_publisher(self.publisher)

    def show(self, *shown, images=1, pause=None):
        """Publish images of faces such as 'f0001 happiness'.

        :param pause: waits between them; by default the test's node is spun.
        """
        pause = pause or self._peer.spin
        for _ in range(images):
            self._stamp_s += 0.1
            message = EmotionArray()
            message.header.stamp.sec, tenths = divmod(round(self._stamp_s * 10), 10)
            message.header.stamp.nanosec = tenths * 100_000_000
            for words in shown:
                face_id, emotion = words.split()
                face = EmotionStamped(face_id=face_id, emotion=emotion, confidence=0.9)
                face.header = message.header
                message.faces.append(face)
            self.publisher.publish(message)
            pause(0.02)


@pytest.fixture
def perception(peer):
    return Perception(peer)


@pytest.fixture
def monitor(peer, perception):
    """A monitor in the test's own node, which receives what the perception publishes."""
    with ExpressionMonitor(peer.node) as monitor:

        def is_heard():
            perception.show()
            return monitor.is_running

        peer.wait_until(is_heard, "the first message")
        yield monitor


@pytest.fixture
def spun(peer):
    """A thread that spins the test's node."""
    stop = threading.Event()

    def spin():
        while not stop.is_set():
            peer.spin(0.05)

    thread = threading.Thread(target=spin)
    thread.start()
    yield
    stop.set()
    thread.join()


# The monitor


def test_callbacks_follow_a_person(monitor, perception):
    calls = []
    monitor.on_appeared(lambda face: calls.append(("appeared", face.face_id)))
    monitor.on_changed(lambda face, previous: calls.append((previous, face.emotion)))
    monitor.on_held(lambda face: calls.append(("held", face.emotion)), "happiness", held_s=1.0)
    monitor.on_left(lambda face: calls.append(("left", face.face_id)))
    perception.show("f0001 neutral", images=8)
    perception.show("f0001 happiness", images=15)
    assert monitor.nearest.emotion == "happiness"
    assert monitor.nearest.held_s == pytest.approx(1.4)
    assert monitor.nearest.message.header.stamp.sec > 0
    perception.show(images=15)
    assert calls == [
        ("appeared", "f0001"),
        ("neutral", "happiness"),
        ("held", "happiness"),
        ("left", "f0001"),
    ]


def test_a_perception_that_starts_again_gives_its_ids_to_others(monitor, perception, peer):
    calls = []
    monitor.on_appeared(lambda face: calls.append("appeared"))
    monitor.on_left(lambda face: calls.append("left"))
    wait = monitor.expect("happiness", held_s=1.0)
    perception.show("f0001 happiness", images=8)
    perception.stop()
    perception.start()
    peer.wait_until(perception.publisher.get_subscription_count, "the monitor")
    perception.show("f0001 happiness", images=8)
    assert calls == ["appeared", "left", "appeared"]
    assert not wait.done()


def test_wait_for_in_a_callback_of_its_own_executor_is_refused(monitor, perception):
    refusals = []

    def ask(face):
        try:
            monitor.wait_for("happiness")
        except RuntimeError as error:
            refusals.append(str(error))

    monitor.on_appeared(ask)
    perception.show("f0001 neutral", images=8)
    assert len(refusals) == 1 and "await monitor.expect" in refusals[0]


def test_a_coroutine_of_the_executor_awaits_a_smile(monitor, perception, peer):
    seen = []

    async def greet(_):
        face = await monitor.expect("happiness", held_s=0.5, timeout_s=30.0)
        seen.append(face.face_id)

    peer.node.create_subscription(Empty, "greet", greet, 10)
    asking = peer.node.create_publisher(Empty, "greet", 10)
    asking.publish(Empty())
    perception.show("f0001 neutral", images=5)
    assert seen == []
    perception.show("f0001 happiness", images=8)
    assert seen == ["f0001"]


def test_asyncio_awaits_a_smile(monitor, perception, spun):
    async def behave():
        wait = monitor.expect("happiness", held_s=0.5, timeout_s=30.0)
        await asyncio.to_thread(perception.show, "f0007 happiness", images=8, pause=time.sleep)
        return await wait

    assert asyncio.run(behave()).face_id == "f0007"


def test_another_thread_blocks_until_a_smile(monitor, perception, peer):
    found = []
    thread = threading.Thread(
        target=lambda: found.append(monitor.wait_for("happiness", held_s=0.5, timeout_s=30.0))
    )
    thread.start()
    peer.spin(0.1)
    perception.show("f0001 happiness", images=8)
    thread.join(10.0)
    assert [face.face_id for face in found] == ["f0001"]


def test_a_wait_that_no_thread_spins_says_so(monitor):
    with pytest.raises(WaitTimeout, match="no callback ran meanwhile") as caught:
        monitor.wait_for("fear", timeout_s=0.2)
    assert caught.value.reason is Reason.NOBODY


@pytest.fixture
def behavior(ros_domain):
    """A behaviour's node, which nothing spins."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = rclpy.create_node("behavior", context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_wait_for_spins_a_node_that_nobody_spins(behavior, perception, peer):
    with ExpressionMonitor(behavior) as monitor:
        peer.wait_until(perception.publisher.get_subscription_count, "the monitor")
        smiling = threading.Thread(
            target=perception.show,
            args=("f0001 happiness",),
            kwargs={"images": 12, "pause": time.sleep},
        )
        smiling.start()
        assert monitor.wait_for("happiness", held_s=0.5, timeout_s=30.0).face_id == "f0001"
        smiling.join()


def test_nothing_running_is_said(behavior):
    with ExpressionMonitor(behavior) as monitor, pytest.raises(WaitTimeout) as caught:
        monitor.wait_for("happiness", timeout_s=0.3)
    assert caught.value.reason is Reason.NOTHING_RUNNING
    assert str(caught.value) == (
        "waited 0.3 s for happiness: nothing is running, there was no message on "
        "/fer_perception/emotions"
    )


def test_a_callback_of_several_threads_may_block(behavior, perception, peer):
    executor = MultiThreadedExecutor(3, context=behavior.context)
    executor.add_node(behavior)
    found = []
    with ExpressionMonitor(behavior) as monitor:

        def wait_once():
            timer.cancel()
            found.append(monitor.wait_for("happiness", held_s=0.3, timeout_s=10.0).face_id)

        timer = behavior.create_timer(0.05, wait_once)
        thread = threading.Thread(target=executor.spin, daemon=True)
        thread.start()

        def is_found():
            perception.show("f0001 happiness")
            return found

        peer.wait_until(is_found, "the face", timeout_s=9.0)
        executor.shutdown()
        thread.join(10.0)
    assert found == ["f0001"]


def test_closing_a_monitor_of_its_own_ends_its_waits(ros_domain):
    monitor = ExpressionMonitor.standalone(args=[])
    wait = monitor.expect("happiness")
    threads = threading.active_count()
    monitor.close()
    monitor.close()
    assert wait.cancelled() and threading.active_count() == threads - 1


# The action


@pytest.fixture
def server(start_node, peer, perception):
    node = start_node("fer_client", "expression_server", "expression_server")
    peer.wait_until(perception.publisher.get_subscription_count, "the server", nodes=(node.node,))
    return node


@pytest.fixture
def action(server, peer):
    """``action(field=...)`` sends a goal and returns its handle."""
    client = ActionClient(peer.node, WaitForExpression, ACTION)
    peer.wait_until(client.server_is_ready, "the action", nodes=(server.node,))

    def send(on_feedback=None, **fields):
        sent = client.send_goal_async(WaitForExpression.Goal(**fields), on_feedback)
        peer.wait_until(sent.done, "the answer to a goal")
        return sent.result()

    yield send
    client.destroy()


def test_many_goals_have_their_own_outcomes(action, perception, peer):
    feedback = []
    smile = action(expressions=["happiness"], held_s=1.0)
    fear = action(expressions=["fear", "anger"], timeout_s=3.0)
    # Never shown for so long: it gets feedback until it is canceled.
    dropped = action(
        lambda m: feedback.append(m.feedback),
        expressions=["happiness"],
        held_s=1e4,
        timeout_s=120.0,
    )
    wrong = action(expressions=["joy"])
    results = [handle.get_result_async() for handle in (smile, fear, dropped, wrong)]
    peer.wait_until(results[3].done, "the refusal")

    def is_fed_back():
        perception.show("f0001 neutral", "f0002 happiness")
        return any(f.faces and f.held_s[-1] > 0.0 for f in feedback)

    peer.wait_until(is_fed_back, "feedback about a smile")
    dropped.cancel_goal_async()

    def all_done():
        perception.show("f0001 neutral", "f0002 happiness")
        return all(result.done() for result in results)

    peer.wait_until(all_done, "all outcomes")
    smile, fear, dropped, wrong = (result.result() for result in results)

    assert (smile.status, smile.result.reason) == (GoalStatus.STATUS_SUCCEEDED, RESULT.SHOWN)
    assert smile.result.face.face_id == "f0002"
    assert smile.result.held_s == pytest.approx(1.0)
    last = feedback[-1]
    assert last.is_running and [face.face_id for face in last.faces] == ["f0001", "f0002"]
    assert last.held_s[0] == 0.0 and last.held_s[1] > 0.0

    assert (fear.status, fear.result.reason) == (GoalStatus.STATUS_ABORTED, RESULT.NOT_SHOWN)
    assert "fear or anger: seen were f0001 (neutral 90%" in fear.result.message
    assert (dropped.status, dropped.result.reason) == (
        GoalStatus.STATUS_CANCELED,
        RESULT.CANCELED,
    )
    assert (wrong.status, wrong.result.reason) == (GoalStatus.STATUS_ABORTED, RESULT.INVALID_GOAL)
    assert "got 'joy'" in wrong.result.message


def test_the_action_tells_nobody_from_nothing(action, perception, peer):
    nothing = action(timeout_s=0.5).get_result_async()
    peer.wait_until(nothing.done, "the first outcome")
    assert nothing.result().result.reason == RESULT.NOTHING_RUNNING
    nobody = action(timeout_s=0.5).get_result_async()

    def is_done():
        perception.show()
        return nobody.done()

    peer.wait_until(is_done, "the second outcome")
    assert nobody.result().result.reason == RESULT.NOBODY


def test_a_busy_client_loses_no_outcome_of_sixty(server, peer):
    """All end while it does something else: their answers wait in its queue."""
    client = create_wait_client(peer.node, "/expression_server/wait_for_expression")
    peer.wait_until(client.server_is_ready, "the action")
    goal = WaitForExpression.Goal(expressions=["fear"], timeout_s=1.0)
    sent = [client.send_goal_async(goal) for _ in range(60)]
    peer.wait_until(lambda: all(future.done() for future in sent), "the acceptance of all")
    results = [future.result().get_result_async() for future in sent]
    time.sleep(3.0)
    peer.wait_until(lambda: all(result.done() for result in results), "all outcomes")
    assert {result.result().result.reason for result in results} == {RESULT.NOTHING_RUNNING}
    client.destroy()


# Behaviour trees

py_trees_missing = "py_trees is missing: the behaviours for trees were not checked"


def test_conditions_of_a_tree(monitor, perception):
    py_trees = pytest.importorskip("py_trees", reason=py_trees_missing)
    from fer_client.trees import ExpressionHeld, FacePresent

    present = FacePresent("someone", monitor)
    smile = ExpressionHeld("smile", monitor, "happiness", held_s=0.5)
    root = py_trees.composites.Sequence("both", memory=False, children=[present, smile])
    tree = py_trees.trees.BehaviourTree(root)
    status = py_trees.common.Status
    tree.tick()
    assert (root.status, present.feedback_message) == (status.FAILURE, "nobody is there")
    perception.show("f0001 neutral", images=8)
    tree.tick()
    assert (present.status, smile.status) == (status.SUCCESS, status.FAILURE)
    assert smile.feedback_message == "f0001 neutral"
    perception.show("f0001 happiness", images=8)
    tree.tick()
    assert root.status == status.SUCCESS
    tree.shutdown()


def test_a_tree_calls_the_action_and_takes_it_back(server, perception, peer):
    py_trees = pytest.importorskip("py_trees", reason=py_trees_missing)
    from fer_client.trees import WaitForExpression as WaitBehaviour

    smile = WaitBehaviour("smile", "happiness", held_s=0.5, timeout_s=30.0)
    tree = py_trees.trees.BehaviourTree(smile)
    tree.setup(node=peer.node)
    status = py_trees.common.Status

    def ticked_until(wanted, *shown):
        def is_there():
            perception.show(*shown)
            tree.tick()
            return wanted()

        return is_there

    is_seen = ticked_until(lambda: "f0001 neutral" in smile.feedback_message, "f0001 neutral")
    peer.wait_until(is_seen, "feedback")
    assert smile.status == status.RUNNING
    goals = peer.collect(
        GoalStatusArray, f"{ACTION}/_action/status", qos_profile_action_status_default
    )
    smile.stop(status.INVALID)
    assert smile.status == status.INVALID
    peer.wait_until(
        lambda: goals and goals[-1].status_list[0].status == GoalStatus.STATUS_CANCELED,
        "the end of the first goal",
    )
    is_smiling = ticked_until(lambda: smile.status == status.SUCCESS, "f0001 happiness")
    peer.wait_until(is_smiling, "success")
    assert smile.result.face.emotion == "happiness"
    tree.shutdown()


def test_a_tree_without_a_server_fails_in_time(peer, monkeypatch):
    py_trees = pytest.importorskip("py_trees", reason=py_trees_missing)
    from fer_client import trees

    monkeypatch.setattr(trees, "_GRACE_S", 0.0)
    wait = trees.WaitForExpression("smile", "happiness", timeout_s=0.2)
    tree = py_trees.trees.BehaviourTree(wait)
    tree.setup(node=peer.node)
    tree.tick()
    assert wait.status == py_trees.common.Status.RUNNING
    peer.spin(0.3)
    tree.tick()
    assert wait.status == py_trees.common.Status.FAILURE
    assert "nothing serves expression_server/wait_for_expression" in wait.feedback_message


# The actor


@pytest.fixture
def act(start_node, tmp_path):
    """``act(text)`` starts an actor with a script."""

    def start(text, **spec):
        script = tmp_path / "script.yaml"
        script.write_text(text)
        return start_node(
            "fer_client", "actor", "fer_perception", arguments=(str(script),), **spec
        )

    return start


def test_three_lines_see_a_smile(act, repository, tmp_path):
    """The three lines of the README, against the actor."""
    readme = repository / "ros2_ws" / "src" / "fer_client" / "README.md"
    [code] = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    assert len(code.split("\n")) <= 5 and len([*filter(None, code.splitlines())]) == 3
    act("timeline:\n  0.0: {anna: neutral}\n  2.0: {anna: happiness 0.9}")
    (tmp_path / "behavior.py").write_text(code)
    done = subprocess.run(
        [sys.executable, tmp_path / "behavior.py"], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("f0001 smiles\n", "")


@pytest.fixture
def run_clock(peer):
    """``run_clock(step_s, condition, what)`` publishes /clock until the condition holds."""
    clock = peer.node.create_publisher(Clock, "/clock", 1)
    time_s = 1000.0

    def run(step_s, condition, what):
        def holds():
            nonlocal time_s
            time_s += step_s
            clock.publish(Clock(clock=Time(nanoseconds=round(time_s * 1e9)).to_msg()))
            peer.spin(0.02)
            return condition()

        peer.wait_until(holds, what)
        return time_s

    return run


def test_the_actor_publishes_what_the_perception_does(peer, act, run_clock):
    arrays = peer.collect(EmotionArray, EMOTIONS_TOPIC)
    faces = peer.collect(EmotionStamped, "/fer_perception/emotion")
    events = peer.collect(FaceEvent, "/fer_perception/events", 50)
    node = act(
        "image: [320, 240]\ntimeline:\n  30.0: {anna: happiness 0.9}\n  32.0: {anna: fear}\n"
        "  34.0: {anna: leaves}\n  36.0: end",
        parameters={"use_sim_time": True},
    )
    run_clock(0.01, lambda: arrays, "an image without a face")
    peer.spin(0.5)  # the other topics are found
    assert not faces
    run_clock(0.1, lambda: not node.running, "the end of the script")
    assert node.node.process.returncode == 0, node.output
    assert "anna comes as f0001" in node.output and "the script has ended" in node.output
    seen = next(array for array in arrays if array.faces)
    assert (seen.image_width, seen.image_height) == (320, 240)
    assert seen.header.frame_id and seen.header.stamp.sec >= 1030
    face = faces[0]
    assert (face.emotion, face.face_id, face.model_id) == ("happiness", "f0001", "actor")
    assert face.confidence == pytest.approx(0.9) and sum(face.scores) == pytest.approx(1.0)
    assert face.roi.width == 72 and face.valence > 0.5
    kinds = [(event.kind, event.emotion) for event in events]
    assert kinds[0] == (FaceEvent.FACE_APPEARED, "happiness")
    assert (FaceEvent.EMOTION_CHANGED, "fear") in kinds
    assert kinds[-1][0] == FaceEvent.FACE_LEFT


def test_the_actor_follows_the_clock_of_a_simulation(peer, act, run_clock):
    arrays = peer.collect(EmotionArray, EMOTIONS_TOPIC)
    act("timeline:\n  3000.0: {anna: fear}", parameters={"use_sim_time": True})
    run_clock(0.1, lambda: arrays, "an image without a face")
    begin_s = arrays[0].header.stamp.sec
    end_s = run_clock(100.0, lambda: any(array.faces for array in arrays), "the person")
    first = next(array for array in arrays if array.faces)
    assert begin_s + 2990 <= first.header.stamp.sec <= end_s


def test_the_light_follows_the_actor(peer, act, start_node):
    colors = peer.collect(ColorRGBA, "/ambient_light/color")
    start_node(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters={"devices": [""]},
        remappings=(("emotions", "fer_perception/emotions"),),
    )
    act("timeline:\n  0.0: {anna: happiness 1.0}")
    wanted = load_palette("default").emotions["happiness"].normalized().channels

    def is_happy():
        last = colors[-1] if colors else ColorRGBA()
        return (last.r, last.g, last.b, last.a) == pytest.approx(wanted, abs=0.05)

    peer.wait_until(is_happy, "the colour of happiness")


def test_a_mistake_in_a_script_ends_the_actor(tmp_path):
    (tmp_path / "script.yaml").write_text("timeline:\n  0.0: {anna: hapiness}\n")
    code = "from fer_client.nodes.actor_node import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "script.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("actor: script.yaml:2: expected one of neutral, happiness")
