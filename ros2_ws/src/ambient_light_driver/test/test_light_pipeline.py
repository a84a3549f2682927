# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ambient_light_driver.color.light_color import OFF
from ambient_light_driver.color.palette import emotion_names, load_palette
from ambient_light_driver.light_state import IDLE, OFF_LABEL
from ambient_light_driver.pipeline import LightPipeline
from ambient_light_driver.selection.observation import FaceObservation
from ambient_light_driver.settings import LightSettings

PALETTE = load_palette("default")
DIRECT = LightSettings(face_dwell_s=0.0, emotion_dwell_s=0.0, time_constant_s=0.0)
STEP_S = 0.02


def face(emotion, face_id="f1"):
    scores = tuple(float(name == emotion) for name in emotion_names())
    return FaceObservation(face_id, scores, 100.0, 0.0)


class Player:
    """Step a pipeline at 50 Hz with changing input."""

    def __init__(self, light_settings):
        self.pipeline = LightPipeline(PALETTE, light_settings)
        self.now_s = 100.0

    def play(self, seconds, faces=None):
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            if faces is not None:
                self.pipeline.observe(faces, self.now_s)
            state = self.pipeline.step(self.now_s, self.now_s)
        return state


def test_the_light_starts_dark_and_comes_to_idle():
    player = Player(LightSettings())
    assert player.play(STEP_S).color.brightness == 0.0
    state = player.play(5.0)
    assert state.label == IDLE
    assert state.color.channels == pytest.approx(PALETTE.idle.channels, abs=1e-3)


def test_a_certain_face_turns_the_light_to_its_color():
    state = Player(DIRECT).play(0.1, [face("happiness")])
    assert state.label == "happiness"
    assert state.color.channels == pytest.approx(PALETTE.emotions["happiness"].channels, abs=1e-3)


def test_flickering_labels_leave_the_light_alone():
    player = Player(LightSettings())
    steady = player.play(5.0, [face("happiness")])
    for i in range(25):
        shown = player.play(0.1, [face("anger" if i % 2 else "fear")])
        assert shown == steady


def test_brightness_and_palette_act_on_a_face_that_stays():
    player = Player(DIRECT)
    player.play(0.1, [face("anger")])
    player.pipeline.settings = replace(DIRECT, brightness=0.5)
    assert player.play(STEP_S).color.brightness == pytest.approx(
        0.5 * PALETTE.emotions["anger"].brightness, abs=1e-3
    )
    player.pipeline.palette = load_palette("plutchik")
    assert player.play(1.0).color.green == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize("faces", [None, []], ids=["silence", "nobody"])
def test_the_light_idles_after_the_timeout_and_not_before(faces):
    player = Player(replace(DIRECT, idle_timeout_s=2.0))
    player.play(1.0, [face("anger")])
    assert player.play(1.9, faces).label == "anger"
    assert player.play(0.2, faces).label == IDLE


def test_another_face_than_the_chosen_one_does_not_keep_the_light_on():
    chosen = replace(DIRECT, face_selection="face_id", selected_face_id="f1", idle_timeout_s=1.0)
    player = Player(chosen)
    player.play(0.5, [face("anger"), face("fear", "f2")])
    assert player.play(1.1, [face("fear", "f2")]).label == IDLE


def test_what_one_robot_sees_is_not_undone_by_another_that_sees_nobody():
    player = Player(LightSettings())
    for step in range(250):
        player.pipeline.observe([face("anger")], player.now_s, "robot1")
        player.play(STEP_S)
        player.pipeline.observe([], player.now_s, "robot2")
        state = player.play(STEP_S)
        assert state.label == "anger" or step < 50
    assert state.label == "anger"


def test_equal_ids_of_two_robots_are_two_faces():
    player = Player(replace(DIRECT, face_selection="mean", sharpness=1.0))
    for source, emotion in (("robot1", "anger"), ("robot2", "happiness")):
        player.pipeline.observe([face(emotion)], player.now_s, source)
    mixed = player.play(STEP_S).color
    for emotion in ("anger", "happiness"):
        assert mixed.channels != pytest.approx(PALETTE.emotions[emotion].channels, abs=0.02)


@pytest.mark.parametrize("left", [[], None], ids=["the other sees nobody", "the other is silent"])
def test_the_faces_of_a_robot_that_falls_silent_stay_for_the_timeout_and_no_longer(left):
    player = Player(replace(DIRECT, idle_timeout_s=2.0))
    player.pipeline.observe([face("anger")], player.now_s, "robot1")

    def play(seconds):
        for _ in range(round(seconds / STEP_S)):
            if left is not None:
                player.pipeline.observe(left, player.now_s, "robot2")
            state = player.play(STEP_S)
        return state

    assert play(1.9).label == "anger"
    assert play(0.2).label == IDLE


def test_the_light_turns_to_the_face_that_is_left_when_a_robot_falls_silent():
    player = Player(replace(DIRECT, idle_timeout_s=1.0))
    near = replace(face("anger"), area_px=400.0)
    player.pipeline.observe([near], player.now_s, "robot1")
    labels = []
    for _ in range(75):
        player.pipeline.observe([face("fear")], player.now_s, "robot2")
        labels.append(player.play(STEP_S).label)
    assert labels[0] == "anger" and labels[-1] == "fear"
    assert IDLE not in labels


def test_idle_can_be_dark():
    assert Player(LightSettings(idle="dark")).play(1.0).color.brightness == 0.0


@pytest.mark.parametrize(
    ("shutdown_state", "label", "brightness"),
    [("dark", OFF_LABEL, 0.0), ("idle", IDLE, 0.1), ("hold", "anger", 0.9)],
)
def test_the_shutdown_state_is_what_stays(shutdown_state, label, brightness):
    player = Player(replace(DIRECT, shutdown_state=shutdown_state))
    player.play(0.1, [face("anger")])
    state = player.pipeline.shut_down(player.now_s)
    assert state.label == label
    assert state.color.brightness == pytest.approx(brightness, abs=1e-3)


def test_a_shutdown_to_idle_that_would_flash_goes_dark():
    player = Player(replace(DIRECT, shutdown_state="idle", max_flashes=1))
    for emotion in ("anger", "sadness", "happiness"):
        player.play(STEP_S, [face(emotion)])
    assert player.pipeline.shut_down(player.now_s).color == OFF


def test_after_a_shutdown_the_light_fades_in_from_darkness():
    player = Player(LightSettings())
    player.play(2.0, [face("anger")])
    assert player.pipeline.shut_down(player.now_s).color == OFF
    assert player.play(STEP_S).color.brightness < 0.01


def test_a_paused_and_a_rewound_recording_do_not_confuse_the_light():
    player = Player(replace(DIRECT, emotion_dwell_s=0.3))
    world_s = 1000.0
    player.pipeline.observe([face("anger")], world_s)
    for _ in range(500):  # paused for 10 s: the world's clock stands still
        player.now_s += STEP_S
        state = player.pipeline.step(world_s, player.now_s)
    assert state.label == "anger"
    for i in range(50):  # rewound
        player.now_s += STEP_S
        player.pipeline.observe([face("happiness")], 5.0 + STEP_S * i)
        state = player.pipeline.step(5.0 + STEP_S * i, player.now_s)
    assert state.label == "happiness"
    assert player.pipeline.step(5.98 + DIRECT.idle_timeout_s, player.now_s).label == IDLE


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.floats(-1e6, 1e6),
            st.one_of(st.none(), st.lists(st.sampled_from(emotion_names()), max_size=3)),
            st.sampled_from([0.0, 1.0]),
        ),
        max_size=80,
    )
)
def test_no_input_makes_an_impossible_color(steps):
    pipeline = LightPipeline(PALETTE, DIRECT)
    for i, (world_s, emotions, brightness) in enumerate(steps):
        pipeline.settings = replace(DIRECT, brightness=brightness)
        if emotions is not None:
            pipeline.observe([face(e, str(j)) for j, e in enumerate(emotions)], world_s)
        assert pipeline.step(world_s, 0.02 * i).color.is_valid()
