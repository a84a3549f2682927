# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

package_name = "fer_perception"
# fer_common is not on PyPI: pip builds it from the folder beside this one. colcon and rosdep go by
# package.xml; but colcon refuses an address without a host, and then finds no tests.
sibling = Path(__file__).resolve().parent.parent / "fer_common"
address = sibling.as_uri().replace("file://", "file://localhost")
fer_common = f"fer_common @ {address}" if sibling.is_dir() else "fer_common"


class BuildOptionalLibrary(build_ext):
    """Build the native library; skip it without a C++ compiler."""

    def build_extension(self, extension):
        try:
            super().build_extension(extension)
        except Exception as error:
            reason = str(error).splitlines()[0]
            print(
                f"{package_name}: the native networks were not built ({reason}); the slower "
                "ones on ONNX Runtime are used. Install a C++17 compiler (g++) and build again.",
                file=sys.stderr,
            )


setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={package_name: ["py.typed", "images/astronaut.jpg*"]},
    ext_modules=[
        # A plain shared library: it knows nothing of Python, which calls it through ctypes.
        Extension(
            f"{package_name}.inference._native",
            sources=[
                f"{package_name}/inference/native/{name}.cpp"
                for name in ("cascade", "convolutions", "kernels")
            ],
            depends=[
                f"{package_name}/inference/native/{name}"
                for name in ("kernels.h", "kernels.inc", "winograd.h")
            ],
            extra_compile_args=["-std=c++17", "-O3", "-fvisibility=hidden", "-Wno-psabi"],
            extra_link_args=["-pthread"],
            language="c++",
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildOptionalLibrary},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=[
        fer_common,
        "numpy",
        "onnxruntime>=1.16",
        "opencv-python-headless>=4.6,<5",
        "tqdm",
    ],
    extras_require={
        "test": ["pytest"],
        "deepface": ["deepface", "tensorflow-cpu", "tf-keras"],
    },
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Apparent facial expressions of all faces in a camera image, over time.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "camera_node = fer_perception.nodes.commands:camera_node",
            "emotion_node = fer_perception.nodes.commands:emotion_node",
            "emotion_nodes = fer_perception.nodes.commands:emotion_nodes",
            # The second name is for pip, which puts it among all other commands.
            "recognize = fer_perception.command.__main__:recognize",
            "fer-recognize = fer_perception.command.__main__:recognize",
        ],
    },
)
