# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages, setup

package_name = "fer_training"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={package_name: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (f"share/{package_name}", ["package.xml"]),
    ],
    install_requires=[
        "matplotlib",
        "ml_dtypes",  # onnxruntime.quantization imports it and does not declare it
        "numpy",
        "onnx",
        "onnxruntime>=1.16",
        "opencv-python-headless>=4.6,<5",
        "safetensors",
        "scikit-learn",
        "scipy",
        "torch",
        "torchmetrics",
        "tqdm",
    ],
    extras_require={"test": ["pytest"]},
    zip_safe=False,
    maintainer="Maintainers of fer_perception",
    maintainer_email="maintainers@example.com",
    description="Trains, exports and evaluates the networks of fer_perception.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "crop_faces = fer_training.commands:crop_faces",
            "evaluate = fer_training.commands:evaluate",
            "export = fer_training.commands:export",
            "export_mtcnn = fer_training.commands:export_mtcnn",
            "train = fer_training.commands:train",
        ],
    },
)
