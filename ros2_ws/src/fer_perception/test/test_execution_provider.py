# SPDX-License-Identifier: Apache-2.0
"""Execution providers, and the fallback from a missing one."""

import logging

import numpy as np
import onnxruntime
import pytest

from fer_perception.detection.mtcnn import Mtcnn, MtcnnConfig
from fer_perception.inference import native_library, onnx_session
from fer_perception.recognition.model_store import load_model
from fer_perception.recognition.recognizer import EmotionRecognizer

PRESENT = onnxruntime.get_available_providers()
NAMES = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}


@pytest.fixture(autouse=True)
def _forget_warnings():
    onnx_session.used_provider.cache_clear()


@pytest.mark.parametrize("provider", NAMES)
def test_a_missing_provider_is_named_once_and_the_cpu_answers(
    provider, repository_models, portrait, rng, caplog
):
    if NAMES[provider] in PRESENT:
        pytest.skip(f"this ONNX Runtime has {provider}: its absence was not checked")
    crops = rng.integers(0, 256, (3, 48, 48), np.uint8)
    model = load_model(repository_models / "vgg_stn")
    with caplog.at_level(logging.WARNING):
        recognizer = EmotionRecognizer(model, execution_provider=provider)
        detector = Mtcnn(MtcnnConfig(execution_provider=provider))
    [record] = caplog.records
    assert provider in record.message and "install onnxruntime-" in record.message
    assert recognizer.execution_provider == detector.execution_provider == "cpu"
    assert detector.backend == ("native" if native_library.is_built() else "onnxruntime")
    np.testing.assert_array_equal(
        recognizer.recognize(crops), EmotionRecognizer(model).recognize(crops)
    )
    assert len(detector.detect(portrait)) == 1


@pytest.mark.parametrize("provider", NAMES)
def test_a_provider_that_is_there_computes_the_same(provider, repository_models, portrait, rng):
    if NAMES[provider] not in PRESENT:
        pytest.skip(f"this ONNX Runtime lacks {provider}: its results were not checked")
    crops = rng.integers(0, 256, (3, 48, 48), np.uint8)
    model = load_model(repository_models / "vgg_stn")
    scores = EmotionRecognizer(model, execution_provider=provider).recognize(crops)
    np.testing.assert_allclose(scores, EmotionRecognizer(model).recognize(crops), atol=5e-3)
    [face] = Mtcnn(MtcnnConfig(execution_provider=provider)).detect(portrait)
    [expected] = Mtcnn(MtcnnConfig(backend="onnxruntime")).detect(portrait)
    assert face.box.iou(expected.box) > 0.95


def test_auto_takes_the_cpu_without_a_warning_where_there_is_no_cuda(repository_models, caplog):
    if NAMES["cuda"] in PRESENT:
        pytest.skip("this ONNX Runtime has cuda: the CPU as a choice was not checked")
    model = load_model(repository_models / "baseline_cnn")
    assert EmotionRecognizer(model, execution_provider="auto").execution_provider == "cpu"
    assert not caplog.records


def test_an_unknown_provider_is_refused():
    with pytest.raises(ValueError, match="abacus"):
        onnx_session.open_session(b"", 1, "abacus")
