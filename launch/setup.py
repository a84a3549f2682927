# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from setuptools import setup

PACKAGE = "fer_bringup"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=[
        PACKAGE,
        *(
            f"{PACKAGE}.{name}"
            for name in (
                "dashboard",
                "demo",
                "launching",
                "standalone",
                "standalone.launch",
                "standalone.launch_ros",
            )
        ),
    ],
    package_data={PACKAGE: ["py.typed"], f"{PACKAGE}.dashboard": ["page/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml", *map(str, sorted(Path().glob("*.launch.py")))]),
        *(
            (f"share/{PACKAGE}/{folder}", list(map(str, sorted(Path(folder).iterdir()))))
            for folder in ("config", "policies")
        ),
    ],
    install_requires=["aiohttp", "numpy", "opencv-python-headless>=4.6,<5", "pyyaml", "rich"],
    extras_require={"test": ["pytest"]},
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Launch files, parameter files and a demo.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            # Its name until 0.1; kept for one release.
            "bring_up = fer_bringup.commands:lifecycle_manager",
            "dashboard = fer_bringup.commands:dashboard",
            "demo = fer_bringup.commands:demo",
            "lifecycle_manager = fer_bringup.commands:lifecycle_manager",
            "start = fer_bringup.commands:start",
        ],
    },
)
