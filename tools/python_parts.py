# SPDX-License-Identifier: Apache-2.0
"""List the Python libraries missing on a machine with ROS 2.

    python3 tools/python_parts.py [demo | tests]

Exits with 1 when one is missing, after the commands that install them: rosdep for what it has a
key for, pip for the rest.
"""

import argparse
import sys
from importlib.util import find_spec

ROSDEP = "PIP_BREAK_SYSTEM_PACKAGES=1 rosdep install --from-paths . --ignore-src -y"
# Keep the distribution's NumPy, which its OpenCV, SciPy and scikit-learn require.
PIP = "-m pip install --user --break-system-packages 'numpy<2'"

# module: rosdep key in the package.xml files
FROM_ROSDEP = {
    "demo": {
        "aiohttp": "python3-aiohttp",
        "cv2": "python3-opencv",
        "numpy": "python3-numpy",
        "onnxruntime": "python3-onnxruntime-pip",
        "rich": "python3-rich",
        "scipy": "python3-scipy",
        "tqdm": "python3-tqdm",
        "yaml": "python3-yaml",
    },
    "tests": {
        "hypothesis": "python3-hypothesis",
        "jinja2": "python3-jinja2",
        "matplotlib": "python3-matplotlib",
        "pytest": "python3-pytest",
        "rosbags": "python3-rosbags-pip",
        "serial": "python3-serial",
        "sklearn": "python3-sklearn",
        "torch": "python3-torch",
    },
}
# module: package on PyPI without a rosdep key
FROM_PIP = {
    "demo": {},
    "tests": {
        "bandit": "bandit",
        "mcap": "mcap",
        "mcap_ros2": "mcap-ros2-support",
        "mypy": "mypy",
        "onnx": "onnx",
        "pytest_timeout": "pytest-timeout",
        "ruff": "ruff",
        "sacn": "sacn",
        "safetensors": "safetensors",
        "torchmetrics": "torchmetrics",
        "xdist": "pytest-xdist",
    },
}


def missing(table: dict[str, dict[str, str]], purpose: str) -> list[str]:
    """Return the sources of modules that this Python cannot import."""
    wanted = table["demo"] | (table["tests"] if purpose == "tests" else {})
    return [source for module, source in wanted.items() if find_spec(module) is None]


def main(purpose: str) -> int:
    """Print missing libraries and how to install them; return the exit code."""
    keys, packages = missing(FROM_ROSDEP, purpose), missing(FROM_PIP, purpose)
    if keys:
        print(f"Missing: {' '.join(keys)}\nInstall with: {ROSDEP}", file=sys.stderr)
    if packages:
        names = " ".join(packages)
        print(
            f"Missing: {names} (on PyPI only)\nInstall with: {sys.executable} {PIP} {names}",
            file=sys.stderr,
        )
    return 1 if keys or packages else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("purpose", nargs="?", choices=("demo", "tests"), default="demo")
    sys.exit(main(parser.parse_args().purpose))
