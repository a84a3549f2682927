# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages, setup

package_name = "fer_evaluation"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={package_name: ["py.typed", "report/templates/*.jinja"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    install_requires=[
        "jinja2",
        "markupsafe",
        "mcap",
        "numpy",
        "opencv-python-headless>=4.6,<5",
        "pyyaml",
        "rosbags",
        "scikit-learn",
        "scipy",
        "tqdm",
        "zstandard",
    ],
    extras_require={
        "dask": ["distributed"],
        "remote": ["fsspec"],
        "test": ["pytest"],
    },
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Evaluates the perception on bags and folders of pictures, live or offline.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "bag_player_node = fer_evaluation.commands:bag_player_node",
            "bag_recorder_node = fer_evaluation.commands:bag_recorder_node",
            "compare = fer_evaluation.commands:compare",
            "evaluate_bag = fer_evaluation.commands:evaluate_bag",
            "make_bag = fer_evaluation.commands:make_bag",
            "score_node = fer_evaluation.commands:score_node",
        ],
    },
)
