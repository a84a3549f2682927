# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages, setup

package_name = "fer_bridges"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={package_name: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    install_requires=["numpy", "opencv-python-headless>=4.6,<5"],
    extras_require={"test": ["pytest"]},
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Apparent expressions in other projects' messages: ROS4HRI and vision_msgs.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "hri_expression_node = fer_bridges.nodes.commands:hri_expression_node",
            "ros4hri_node = fer_bridges.nodes.commands:ros4hri_node",
            "vision_msgs_node = fer_bridges.nodes.commands:vision_msgs_node",
        ],
    },
)
