# SPDX-License-Identifier: Apache-2.0
import weakref

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import fer_perception.tracking.tracker as tracker_module
from fer_perception.face import BoundingBox, Face
from fer_perception.tracking.look import glance_at
from fer_perception.tracking.tracker import FaceTracker, TrackerConfig


def face(x, y, size=50.0):
    return Face(BoundingBox(x, y, size, size), 1.0, np.full((5, 2), np.nan, np.float32))


def test_faces_keep_their_ids_whatever_their_order():
    tracker = FaceTracker()
    first = tracker.update([face(0, 0), face(200, 0)], 0.0)
    second = tracker.update([face(203, 2), face(4, 1)], 0.033)
    assert second == [first[1], first[0]]
    assert len(set(first)) == 2 and all(i[0].isalpha() for i in first)


def test_crossing_faces_are_told_apart_by_their_motion():
    tracker = FaceTracker()
    rng = np.random.default_rng(1)
    for step in range(41):
        t = step / 30
        jitter = rng.normal(0, 0.5, 4)
        left_to_right = face(10 * step + jitter[0], 0 + jitter[1])
        right_to_left = face(400 - 10 * step + jitter[2], 20 + jitter[3])
        ids = tracker.update([left_to_right, right_to_left], t)
        if step == 0:
            start = ids
    assert ids == start


def test_a_face_that_is_hidden_for_a_moment_keeps_its_id_and_a_long_lost_one_does_not():
    tracker = FaceTracker(TrackerConfig(max_lost_s=1.0))
    [first] = tracker.update([face(0, 0)], 0.0)
    assert tracker.update([], 0.5) == []
    assert tracker.update([face(2, 0)], 0.9) == [first]
    tracker.update([], 2.0)
    assert tracker.update([face(2, 0)], 2.1) != [first]


def test_a_moving_face_is_expected_where_it_will_be():
    tracker = FaceTracker()
    ids = {tracker.update([face(8 * i, 0)], i / 30)[0] for i in range(10)}
    # Hidden for a third of a second: by then it is more than its own width away.
    ids |= set(tracker.update([face(8 * 19, 0)], 19 / 30))
    assert len(ids) == 1


def test_boxes_of_very_different_size_or_place_are_different_faces():
    tracker = FaceTracker()
    [first] = tracker.update([face(0, 0, 50)], 0.0)
    assert tracker.update([face(0, 0, 150)], 0.03) != [first]
    tracker.reset()
    [first] = tracker.update([face(0, 0, 50)], 1.0)
    assert tracker.update([face(300, 0, 50)], 1.03) != [first]


def test_ids_are_not_used_again_after_a_reset():
    tracker = FaceTracker()
    before = tracker.update([face(0, 0)], 5.0)
    tracker.reset()
    assert tracker.face_ids == frozenset()
    assert tracker.update([face(0, 0)], 0.0) != before


@pytest.mark.parametrize(
    "change",
    [{"min_iou": 1.5}, {"max_distance": -1.0}, {"max_size_ratio": 0.5}, {"max_lost_s": -1.0}],
)
def test_absurd_settings_are_refused_by_name(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        TrackerConfig(**change)


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 3.0),
            st.lists(
                st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0.0, 1e3)),
                max_size=5,
            ),
        ),
        max_size=8,
    )
)
@example([(0.0, []), (0.1, [(0.0, 0.0, 1e-162), (0.0, 0.0, 2e-162)])])
def test_every_face_of_a_frame_gets_an_id_of_its_own(frames):
    tracker, now = FaceTracker(), 0.0
    for dt, boxes in frames:
        now += dt
        ids = tracker.update([face(*box) for box in boxes], now)
        assert len(ids) == len(boxes) == len(set(ids))
        assert set(ids) <= tracker.face_ids


def test_uneven_frames_of_a_face_that_sways_give_one_id(rng):
    """Frames close to each other measure wild velocities, long gaps then use them."""
    tracker = FaceTracker()
    ids, stamp_s = set(), 0.0
    for _ in range(400):
        stamp_s += rng.choice([0.004, 0.033, 0.066, 0.3, 0.6])
        x = 200 + 60 * np.sin(stamp_s / 1.5) + rng.normal(0, 2)
        y = 100 + 30 * np.cos(stamp_s / 2.0) + rng.normal(0, 2)
        ids.update(tracker.update([_face_at(x, y)], stamp_s))
    assert ids == {"f0001"}


def test_a_lost_track_does_not_take_a_face_from_the_one_that_follows_it():
    tracker = FaceTracker()
    first, second = tracker.update([_face_at(0, 0), _face_at(90, 0)], 0.0)
    for step in range(1, 8):
        # The second face stands where the first one, now covered, would be expected.
        [seen] = tracker.update([_face_at(90 - 12 * step, 0)], 0.1 * step)
        assert seen == second != first


def _face_at(x, y):
    return Face(BoundingBox(x, y, 100.0, 130.0), 0.99, np.zeros((5, 2), np.float32))


def _crop(seed):
    """A pattern of blobs, as different from the next one as two people."""
    noise = np.random.default_rng(seed).normal(0.0, 1.0, (48, 48))
    blobs = cv2.GaussianBlur(noise, (0, 0), 3.0)
    return np.clip(128.0 + 250.0 * blobs, 0, 255).astype(np.uint8)


class Scene:
    """A tracker of faces at places, each with the crop of a person."""

    def __init__(self, **config):
        self.tracker = FaceTracker(TrackerConfig(**config))

    def see(self, stamp_s, *seen, is_new_scene=False):
        faces = [_face_at(x, 0) for x, _ in seen]
        crops = [crop for _, crop in seen]
        return self.tracker.update(faces, stamp_s, crops.__getitem__, is_new_scene)

    def watch(self, start_s, end_s, *seen, rate_hz=30):
        """Return the ids seen, the last of them last."""
        ids = []
        for i in range(round(start_s * rate_hz), round(end_s * rate_hz)):
            [face_id] = self.see(i / rate_hz, *seen)
            if face_id is not None and face_id not in ids[-1:]:
                ids.append(face_id)
        return ids


ANN, BOB = _crop(1), _crop(2)


@pytest.mark.parametrize("rate_hz", [5, 10, 30])
def test_an_id_does_not_pass_to_the_next_person_at_a_place(rate_hz):
    scene = Scene()
    [ann] = scene.watch(0.0, 1.0, (0, ANN), rate_hz=rate_hz)
    [bob] = scene.watch(1.6, 2.6, (0, BOB), rate_hz=rate_hz)
    assert ann != bob
    assert scene.watch(3.2, 4.0, (0, ANN), rate_hz=rate_hz)[-1] not in (ann, bob)  # too long


def test_a_person_who_comes_back_to_a_place_that_another_took_has_the_old_id():
    scene = Scene(max_lost_s=2.0)
    [ann] = scene.watch(0.0, 1.0, (0, ANN))
    [bob] = scene.watch(1.4, 2.0, (0, BOB))
    assert scene.watch(2.4, 3.0, (0, ANN)) == [ann] and bob != ann


def test_a_new_person_waits_for_an_id_at_a_lost_ones_place_but_not_elsewhere():
    scene = Scene()
    scene.watch(0.0, 1.0, (0, ANN))
    ids = [scene.see(1.5 + i / 30, (0, BOB), (900, ANN)) for i in range(8)]
    assert ids[0][0] is None and None not in ids[6]
    assert all(frame[1] is not None for frame in ids)


@pytest.mark.parametrize("change", [lambda c: c * 0.35, lambda c: c * 0.6 + 90.0])
def test_light_after_a_gap_or_a_cut_costs_no_id(change):
    scene = Scene()
    [ann] = scene.watch(0.0, 1.0, (0, ANN))
    lit = np.clip(change(ANN.astype(float)), 0, 255).astype(np.uint8)
    assert scene.watch(1.5, 2.0, (0, lit)) == [ann]
    assert scene.see(2.0, (0, ANN), is_new_scene=True) == [ann]


def test_a_cut_to_another_person_gives_a_new_id_at_once():
    scene = Scene()
    [ann] = scene.watch(0.0, 1.0, (0, ANN))
    [bob] = scene.see(1.0, (0, BOB), is_new_scene=True)
    assert bob not in (ann, None)
    assert scene.see(1.1, (0, ANN), is_new_scene=True) == [ann]


def test_what_covers_a_followed_face_for_a_moment_costs_no_id_and_a_swap_does():
    scene = Scene()
    half = ANN.copy()
    half[:, :24] = BOB[:, :24]
    [ann] = scene.watch(0.0, 1.0, (0, ANN))
    assert scene.watch(1.0, 1.2, (0, half)) == [ann]
    assert scene.watch(1.2, 2.0, (0, ANN)) == [ann]
    *_, last = scene.watch(2.0, 3.0, (0, BOB))
    assert last != ann


def test_faces_that_meet_and_turn_back_keep_their_ids():
    """Motion alone would let them pass through each other."""
    scene = Scene()
    ids = set()
    for i in range(61):
        gap = 25 + 8 * abs(30 - i)
        ids.add(tuple(scene.see(i / 30, (-gap, ANN), (gap, BOB))))
    assert len(ids) == 1


def test_a_face_as_fast_as_its_own_width_a_frame_is_followed_by_its_look():
    scene = Scene()
    ids = {tuple(scene.see(i / 5, (150 * i, ANN), (1500 - 150 * i, BOB))) for i in range(10)}
    assert len(ids) == 1


def test_stamps_in_bursts_measure_no_speed(rng):
    tracker = FaceTracker()
    ids = set()
    for burst in range(30):
        for i in range(3):
            faces = [_face_at(110 * k + rng.normal(0, 1.0), 0) for k in range(4)]
            ids.add(tuple(tracker.update(faces, 0.1 * burst + 0.001 * i)))
    assert len(ids) == 1


def test_looks_are_dropped_with_their_face(monkeypatch):
    looks = []

    def look_of(crop):
        look = original(crop)
        looks.append(weakref.ref(look))
        return look

    original = tracker_module.look_of
    monkeypatch.setattr(tracker_module, "look_of", look_of)
    scene = Scene(max_lost_s=0.5)
    scene.watch(0.0, 1.0, (0, ANN))
    assert any(look() is not None for look in looks)
    scene.see(1.6)
    assert not any(look() is not None for look in looks)


@pytest.mark.parametrize("rate_hz", [5, 10, 30])
def test_an_id_is_never_on_another_person_who_takes_the_place_at_once(rate_hz):
    scene = Scene()
    [ann] = scene.watch(0.0, 1.0, (0, ANN), rate_hz=rate_hz)
    [bob] = scene.watch(1.0, 1.8, (0, BOB), rate_hz=rate_hz)
    assert bob != ann
    assert scene.watch(1.8, 2.4, (0, ANN), rate_hz=rate_hz) == [ann]


@pytest.mark.parametrize("rate_hz", [5, 10, 30])
def test_another_person_at_a_place_has_an_id_after_0_4_s(rate_hz):
    scene = Scene()
    scene.watch(0.0, 1.0, (0, ANN), rate_hz=rate_hz)
    stamps = [i / rate_hz for i in range(rate_hz, round(1.4 * rate_hz) + 1)]
    ids = [scene.see(stamp_s, (0, BOB))[0] for stamp_s in stamps]
    assert ids[0] is None and ids[-1] is not None


def test_two_people_who_swap_their_seats_at_once_keep_their_ids():
    scene = Scene()
    ids = [scene.see(i / 30, (0, ANN), (250, BOB)) for i in range(20)]
    swapped = [scene.see(i / 30, (250, ANN), (0, BOB)) for i in range(20, 30)]
    assert {tuple(frame) for frame in ids + swapped} == {tuple(ids[0])}


def test_what_covers_both_people_does_not_make_them_one():
    scene = Scene()
    covered = [crop.copy() for crop in (ANN, BOB)]
    for crop in covered:
        crop[:, :24] = 90
    [ann] = scene.watch(0.0, 1.0, (0, ANN))
    assert scene.watch(1.0, 1.5, (0, covered[0])) == [ann]
    assert ann not in scene.watch(1.5, 2.5, (0, covered[1]))


def test_people_who_look_the_same_keep_their_ids_by_their_places():
    scene = Scene()
    ids = {
        tuple(scene.see(i / 10, (0, ANN), (250 + 20 * np.sin(i), ANN), (500, ANN[:, ::-1])))
        for i in range(100)
    }
    assert len(ids) == 1 and len(set(*ids)) == 3


def test_a_face_at_the_edge_of_the_image_keeps_its_id():
    """Its box is clipped more in each frame, and less as it comes back."""
    tracker = FaceTracker()
    ids = set()
    shares = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    for number, share in enumerate(shares):
        box = BoundingBox(0.0, 100.0, 100.0 * share, 130.0)
        face = Face(box, 0.99, np.full((5, 2), np.nan, np.float32))
        ids.update(tracker.update([face], 0.05 * number))
    assert len(ids) == 1


def test_boxes_that_are_no_numbers_cost_no_other_face_its_id():
    scene = Scene()
    [ann] = scene.watch(0.0, 1.0, (0, ANN))
    broken = [
        BoundingBox(*values)
        for values in (
            (np.nan, 0.0, 100.0, 130.0),
            (0.0, 0.0, np.nan, np.nan),
            (np.inf, 0.0, 100.0, 130.0),
            (0.0, 0.0, np.inf, np.inf),
        )
    ]
    faces = [_face_at(0, 0), *(Face(box, 0.99, np.zeros((5, 2), np.float32)) for box in broken)]
    for i in range(30, 40):
        ids = scene.tracker.update(faces, i / 30, lambda _: ANN)
        assert ids[0] == ann and len(ids) == 5
    assert scene.watch(1.4, 2.0, (0, ANN)) == [ann]


def test_an_hour_of_passers_by_leaves_nothing_behind(rng):
    """One passes every 6 s, the room is empty for minutes in between, fifty come at last."""
    scene = Scene()
    crops = [_crop(seed) for seed in range(20)]
    given, now_s = set(), 0.0
    for passer in range(600):
        now_s += 120.0 if passer % 50 == 0 else 3.0
        for step in range(5):
            now_s += 0.2
            given.update(scene.see(now_s, (100 * step, crops[passer % 20])))
            assert len(scene.tracker.face_ids) <= 2
    assert 600 <= len(given - {None}) <= 610
    ids = [
        scene.see(now_s + 10 + i / 10, *((150 * k, crops[k % 20]) for k in range(50)))
        for i in range(5)
    ]
    assert len(set(ids[0])) == 50 and all(frame == ids[0] for frame in ids)
    assert scene.see(now_s + 20) == [] and scene.tracker.face_ids == frozenset()


def test_a_glance_spares_crops_of_a_still_face_and_shows_another_person_at_once():
    scene = Scene()
    crops = []

    def see(stamp_s, person):
        def crop(index):
            crops.append(stamp_s)
            return person

        glance = glance_at(np.dstack([person] * 3), BoundingBox(0.0, 0.0, 48.0, 48.0))
        return scene.tracker.update(
            [_face_at(0, 0)], stamp_s, crop, is_new_scene=False, glance=lambda _: glance
        )

    ids = {see(i / 30, ANN)[0] for i in range(30)}
    assert len(ids) == 1 and len(crops) <= 11
    assert see(1.0, BOB) == [None]


def test_faces_that_move_together_have_the_speed_of_the_camera():
    tracker = FaceTracker()
    assert tracker.common_speed() == 0.0
    for i in range(20):
        tracker.update([_face_at(20 * i, 0), _face_at(300 + 20 * i, 90)], i / 30)
    assert tracker.common_speed() == pytest.approx(600.0, rel=0.02)
    for i in range(20, 40):
        tracker.update([_face_at(400, 0), _face_at(700, 90)], i / 30)
    assert tracker.common_speed() == pytest.approx(0.0, abs=5.0)
