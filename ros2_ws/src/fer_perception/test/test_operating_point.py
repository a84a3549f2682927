# SPDX-License-Identifier: Apache-2.0
"""``prior_adjustment`` acts on a running pipeline; poor faces are less sure."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_perception.face_emotion import Fault
from fer_perception.recognition.model_config import read_config
from fer_perception.runtime.shared_parts import SharedParts
from fer_perception.settings import PerceptionSettings, build_pipeline, prepare_change

RAW = PerceptionSettings(
    model="baseline_cnn", smoothing_time_constant_s=0.0, recognition_rate_hz=0.0
)


def test_a_running_pipeline_takes_another_prior_without_loading_a_network(
    portrait, repository_models
):
    pipeline = build_pipeline(RAW)
    network = pipeline.recognizer
    [before] = pipeline.track(portrait, 0.0)
    change = prepare_change(
        replace(RAW, prior_adjustment=1.0), {"prior_adjustment"}, SharedParts()
    )
    change.apply_to(pipeline)
    [after] = pipeline.track(portrait, 0.1)
    assert pipeline.recognizer is network and after.face_id == before.face_id
    shares = np.array(read_config(repository_models / "baseline_cnn").class_shares)
    expected = before.scores / shares
    np.testing.assert_allclose(after.scores, expected / expected.sum(), atol=0.02)
    [single] = pipeline.recognize(portrait)
    np.testing.assert_allclose(single.scores, after.scores, atol=0.02)


def test_a_model_without_shares_is_used_as_it_is_and_never_adjusted(repository_models, tmp_path):
    folder = tmp_path / "earlier"
    shutil.copytree(repository_models / "baseline_cnn", folder)
    config = json.loads((folder / "config.json").read_text())
    del config["class_shares"]
    (folder / "config.json").write_text(json.dumps(config))
    settings = replace(RAW, model=str(folder))
    build_pipeline(settings)
    with pytest.raises(ValueError, match="has no class_shares"):
        build_pipeline(replace(settings, prior_adjustment=0.3))


def test_a_blurred_face_says_so_and_is_less_sure(portrait):
    pipeline = build_pipeline(RAW)
    [sharp] = pipeline.track(portrait, 0.0)
    assert sharp.quality.value > 0.9 and sharp.quality.faults == Fault(0)
    side = sharp.box.area**0.5
    blurred = cv2.GaussianBlur(portrait, (0, 0), side / 14.0)
    # It looks so different that it may be another person's: it is withheld for a moment.
    found = (pipeline.track(blurred, 0.1 * frame) for frame in range(1, 8))
    poor = next(faces[0] for faces in found if faces)
    assert Fault.BLURRED in poor.quality.faults
    assert poor.quality.value < sharp.quality.value - 0.1
    assert poor.quality.trust < 1.0
