# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from setuptools import setup

package_name = "fer_models"
here = Path(__file__).resolve().parent

# Every folder with a config.json is a model; they are looked for at each build, so that a model
# that was trained here is installed as well. MTCNN's weights have no emotions to configure.
folders = ["mtcnn", *sorted(path.parent.name for path in here.glob("*/config.json"))]

setup(
    name=package_name,
    version="0.1.0",
    # The folders of the models are the package's data: this folder is the package.
    packages=[package_name],
    package_dir={package_name: "."},
    package_data={package_name: [f"{folder}/*" for folder in folders]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    install_requires=[],
    extras_require={"test": ["pytest"]},
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Trained weights of fer_perception's networks, with their model cards.",
    license="Apache-2.0",
)
