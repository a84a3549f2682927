# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages, setup

package_name = "fer_perception"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={package_name: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    extras_require={
        "deepface": ["deepface", "tensorflow-cpu", "tf-keras"],
        "evaluate": ["matplotlib", "scikit-learn", "torchmetrics"],
    },
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Apparent facial expressions of all faces in a camera image, over time.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "camera_node = fer_perception.nodes.camera_node:main",
            "emotion_node = fer_perception.nodes.emotion_node:main",
            "evaluate = fer_perception.training.evaluate:main",
            "export = fer_perception.training.export:main",
            "train = fer_perception.training.train:main",
        ],
    },
)
