# SPDX-License-Identifier: Apache-2.0
"""Without ROS: pip installs perception and weights, and the API works."""

import os
import shutil
import subprocess
import sys

import cv2

from fer_perception.images.frame_source import PortraitSource

FOLDERS = ("ros2_ws/src/fer_common", "ros2_ws/src/fer_perception", "models")
THREE_LINES = """
from fer_perception import EmotionPipeline
pipeline = EmotionPipeline.from_pretrained("vgg_stn")
for face in pipeline.recognize("photo.png"):
    print(face.emotion, face.confidence, face.box)
import fer_models, fer_perception
print(fer_models.__file__, fer_perception.__file__)
"""


def test_three_lines_after_pip(repository, plain_environment, tmp_path):
    # Copies, so that the build's own files do not stay in the repository. What the packages
    # require is there already: a test does not download it.
    sources = []
    for folder in FOLDERS:
        ignore = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "test")
        sources.append(tmp_path / folder)
        shutil.copytree(repository / folder, sources[-1], ignore=ignore)
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    pip += ["--no-build-isolation", "--target", str(target), *map(str, sources)]
    done = subprocess.run(pip, capture_output=True, text=True, env=plain_environment, timeout=300)
    assert done.returncode == 0, done.stderr
    portrait = next(PortraitSource()).image
    cv2.imwrite(str(tmp_path / "photo.png"), portrait[..., ::-1])
    environment = plain_environment | {"PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-c", THREE_LINES],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=120,
    )
    face, places = done.stdout.splitlines() if done.returncode == 0 else ("", done.stderr)
    assert face.startswith("happiness "), places
    assert all(place.startswith(str(target) + os.sep) for place in places.split())
    done = subprocess.run(
        [str(target / "bin" / "fer-recognize"), "photo.png"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0 and "happiness" in done.stdout, done.stderr
    # What the metadata require brings fer_common from beside the package, as PyPI has none.
    [metadata] = target.glob("fer_perception-*.dist-info/METADATA")
    requirements = metadata.read_text().replace(" ", "")  # setuptools differ in their spaces
    assert f"@file://localhost{sources[0]}" in requirements
    # OpenCV 5 has no HOGDescriptor; setuptools sort the bounds.
    opencv = "opencv-python-headless<5,>=4.6"
    for name in ("numpy", "onnxruntime>=1.16", opencv, "tqdm"):
        assert f"Requires-Dist:{name}\n" in requirements
    assert "Requires-Python:>=3.10\n" in requirements
    # A node needs ROS 2, which pip does not install.
    done = subprocess.run(
        [sys.executable, str(target / "bin" / "emotion_node")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "emotion_node: " in done.stderr and "source /opt/ros/" in done.stderr
