# SPDX-License-Identifier: Apache-2.0
"""A pipeline that changes while a stream runs, without a graph."""

from dataclasses import replace

import pytest

from fer_perception.images.frame_source import PortraitSource
from fer_perception.live_pipeline import LivePipeline
from fer_perception.runtime.shared_parts import SharedParts
from fer_perception.settings import PerceptionSettings

SETTINGS = PerceptionSettings(precision="float32")


@pytest.fixture(scope="module")
def parts():
    return SharedParts()


@pytest.fixture
def live(parts):
    live = LivePipeline(parts=parts)
    live.build(SETTINGS)
    return live


def test_a_change_counts_when_it_is_applied_and_the_faces_stay_known(live):
    image = PortraitSource().read()
    [before] = live.pipeline.track(image, 0.0)
    live.prepare(replace(SETTINGS, region_right=0.2), {"region_right"})
    assert [face.face_id for face in live.pipeline.track(image, 0.1)] == [before.face_id]
    live.apply()
    assert live.pipeline.track(image, 0.2) == []
    live.prepare(SETTINGS, {"region_right"})
    live.apply()
    assert [face.face_id for face in live.pipeline.track(image, 0.3)] == [before.face_id]


def test_a_refused_change_leaves_the_pipeline_and_no_change_behind(live):
    detector = live.pipeline.detector
    live.prepare(replace(SETTINGS, min_confidence=0.5), {"min_confidence"})
    with pytest.raises(ValueError, match="crystal_ball"):
        live.prepare(replace(SETTINGS, detector="crystal_ball"), {"detector"})
    live.apply()
    assert live.pipeline.detector is detector


def test_only_the_parts_that_change_are_loaded(live):
    detector, recognizer = live.pipeline.detector, live.pipeline.recognizer
    live.prepare(replace(SETTINGS, min_face_px=80.0), {"min_face_px"})
    live.apply()
    assert live.pipeline.detector is not detector and live.pipeline.recognizer is recognizer


def test_a_dropped_pipeline_has_no_model_and_takes_no_change(live):
    assert live.model_id
    live.drop()
    live.prepare(SETTINGS, {"model"})
    live.apply()
    assert live.pipeline is None and live.model_id == ""
