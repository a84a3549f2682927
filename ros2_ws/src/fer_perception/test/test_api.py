# SPDX-License-Identifier: Apache-2.0
"""The public names of fer_perception."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

import fer_perception
from fer_perception import (
    EMOTIONS,
    EmotionPipeline,
    Frame,
    FrameSourceError,
    ImageError,
    ModelError,
)


@pytest.fixture(scope="module")
def pipeline():
    return EmotionPipeline.from_pretrained("baseline_cnn")


@pytest.fixture
def photo(portrait, tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), portrait[..., ::-1])
    return path


def test_every_public_name_is_there():
    for name in fer_perception.__all__:
        assert getattr(fer_perception, name) is not None
    assert set(fer_perception.__all__) <= set(dir(fer_perception))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = fer_perception.nonsense


def test_importing_the_package_loads_no_library():
    code = "import sys, fer_perception; print({'cv2', 'numpy', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_drawing_results_loads_no_network():
    """The rooms follow the data: ``images`` and results do not need ``recognition``."""
    code = "import sys, fer_perception.images.annotation; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "fer_perception.face_emotion" in done.stdout.split()
    assert "fer_perception.recognition" not in done.stdout.split()


def test_a_picture_gives_the_same_faces_from_a_file_and_from_an_array(pipeline, photo, portrait):
    [from_file], [from_path] = pipeline.recognize(str(photo)), pipeline.recognize(photo)
    [from_array] = pipeline.recognize(portrait)
    assert from_file.emotion == from_path.emotion == from_array.emotion
    assert from_file.box == from_array.box == from_array.face.box
    assert from_array.emotion == EMOTIONS[int(from_array.scores.argmax())]
    assert from_array.confidence == pytest.approx(from_array.scores.max())
    assert from_array.scores.sum() == pytest.approx(1.0, abs=1e-5)


def test_frames_are_tracked_with_one_id_and_their_times(pipeline, portrait):
    results = list(pipeline.track([portrait] * 4, rate_hz=10.0))
    assert [result.time_s for result in results] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert len({face.face_id for result in results for face in result.faces}) == 1
    frames = [Frame(portrait, 2.0), Frame(portrait, 2.5)]
    assert [result.time_s for result in pipeline.track(frames)] == [2.0, 2.5]


def test_each_call_of_track_starts_afresh(pipeline, portrait):
    """The smoothing of a short clip must not reach into the next one, whose times begin at 0."""
    blurred = cv2.GaussianBlur(portrait, (0, 0), 6)  # the same face, with other scores
    [alone] = EmotionPipeline.from_pretrained("baseline_cnn").track([blurred])
    list(pipeline.track([portrait] * 3))
    [after] = pipeline.track([blurred])
    np.testing.assert_array_equal(alone.faces[0].scores, after.faces[0].scores)


def test_tracking_yields_frame_by_frame(pipeline, portrait):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield portrait

    results = pipeline.track(endless())
    next(results), next(results)
    assert len(taken) == 2


def test_a_video_is_tracked_by_its_path(pipeline, portrait, tmp_path):
    path = tmp_path / "clip.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (640, 480))
    for _ in range(3):
        video.write(portrait[..., ::-1])
    video.release()
    results = list(pipeline.track(path))
    assert len(results) == 3 and all(len(result.faces) == 1 for result in results)
    assert results[-1].frame.image.shape == (480, 640, 3)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        [1, 2],
    ],
)
def test_what_is_not_a_picture_is_refused_with_what_is_expected(pipeline, image):
    with pytest.raises(ValueError, match="expected"):
        pipeline.recognize(image)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.uint16),
        None,
    ],
)
def test_a_frame_with_another_image_is_refused_with_its_place(pipeline, portrait, image):
    for bad in (image, Frame(image, 0.5)):
        results = pipeline.track([Frame(portrait, 0.0), bad])
        next(results)
        with pytest.raises(ValueError, match=r"^frame 1: .*expected (an )?RGB"):
            next(results)


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), None, "1"])
def test_a_frame_without_a_finite_time_is_refused(pipeline, portrait, time_s):
    with pytest.raises(ValueError, match=rf"^frame 0: time_s is '?{time_s}'?: expected seconds"):
        next(pipeline.track([Frame(portrait, time_s)]))


@pytest.mark.parametrize("rate_hz", [float("nan"), float("inf"), -1.0, None])
def test_a_rate_that_is_not_a_rate_is_refused(pipeline, portrait, rate_hz):
    for source in ([portrait], "clip.mp4"):
        with pytest.raises(
            ValueError, match=rf"^rate_hz is {rate_hz}: expected frames per second"
        ):
            next(pipeline.track(source, rate_hz=rate_hz))


def test_opencv_without_the_histograms_is_refused_with_what_to_install():
    code = "import cv2; del cv2.HOGDescriptor; from fer_perception import EmotionPipeline"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: OpenCV 4.") and "pip install 'opencv" in last


def test_the_cause_of_a_failed_import_is_not_hidden():
    code = "import cv2; del cv2.COLOR_GRAY2RGB; from fer_perception import ImageError"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: fer_perception.images.decoding cannot be loaded")
    assert last.endswith("has no attribute 'COLOR_GRAY2RGB'")


def test_files_that_are_not_there_are_named(pipeline, tmp_path):
    with pytest.raises(ImageError, match=r"none\.jpg"):
        pipeline.recognize(tmp_path / "none.jpg")
    with pytest.raises(FrameSourceError, match=r"none\.mp4"):
        next(pipeline.track(tmp_path / "none.mp4"))


def test_models_are_given_by_name_or_folder(repository_models):
    assert "vgg_stn" in fer_perception.list_models()
    folder = repository_models / "baseline_cnn"
    for model in (folder, str(folder)):
        assert EmotionPipeline.from_pretrained(model).model_id.startswith("baseline_cnn@")
    with pytest.raises(ModelError, match="expected baseline_cnn"):
        EmotionPipeline.from_pretrained("nonsense")


@pytest.mark.parametrize("model", [None, 3])
def test_what_names_no_model_is_refused_with_where_names_come_from(model):
    with pytest.raises(ValueError, match=rf"list_models\(\).* not {model}"):
        EmotionPipeline.from_pretrained(model)


def test_a_video_or_a_folder_is_refused_with_what_to_do(pipeline, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"video")
    with pytest.raises(ImageError, match=r"clip\.mp4.*track\(\)"):
        pipeline.recognize(tmp_path / "clip.mp4")
    with pytest.raises(ImageError, match="is a folder: pass its pictures"):
        pipeline.recognize(tmp_path)


@pytest.mark.parametrize(
    "option", [{"nonsense": 1}, {"min_face_px": 1.0}, {"execution_provider": "abacus"}]
)
def test_unknown_or_invalid_options_are_refused_by_name(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        EmotionPipeline.from_pretrained("baseline_cnn", **option)


def test_options_reach_the_parts(portrait):
    large = EmotionPipeline.from_pretrained("baseline_cnn", min_face_px=400.0)
    assert large.recognize(portrait) == []
    double = EmotionPipeline.from_pretrained("baseline_cnn", flip_average=True)
    [one], [other] = double.recognize(portrait), double.recognize(portrait[:, ::-1])
    single = EmotionPipeline.from_pretrained("baseline_cnn")
    assert not np.allclose(single.recognize(portrait)[0].scores, one.scores)
    assert one.emotion == other.emotion
