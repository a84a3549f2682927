# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages, setup

package_name = "fer_client"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={package_name: ["py.typed", "scripts/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    install_requires=["numpy", "pyyaml"],
    extras_require={"test": ["pytest"], "py_trees": ["py_trees"]},
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Client for robot behaviours: who is there and how they look; action and actor.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "actor = fer_client.nodes.commands:actor",
            "expression_server = fer_client.nodes.commands:expression_server",
        ],
    },
)
