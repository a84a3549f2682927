# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

from setuptools import setup

package_name = "fer_models"
here = Path(__file__).resolve().parent

# Every folder with a config.json is a model; they are looked for at each build, so that a model
# that was trained here is installed as well. The face detector's weights have no config.json.
models = ["mtcnn", *sorted(path.parent.name for path in here.glob("*/config.json"))]

setup(
    name=package_name,
    version="0.1.0",
    # Each model is installed inside the package, where importlib finds it with and without ROS.
    packages=[package_name, *(f"{package_name}.{model}" for model in models)],
    # Relative to where setup.py is run: with --symlink-install colcon runs it elsewhere.
    package_dir={f"{package_name}.{model}": os.path.relpath(here / model) for model in models},
    package_data={f"{package_name}.{model}": ["*"] for model in models},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=[],
    extras_require={"test": ["pytest"]},
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Trained weights of fer_perception's networks, with their model cards.",
    license="Apache-2.0",
)
