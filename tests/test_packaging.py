# SPDX-License-Identifier: Apache-2.0
"""Declarations of the packages: licences, rosdep keys and imports."""

import ast
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import yaml
from catkin_pkg.package import parse_package

REPOSITORY = Path(__file__).resolve().parents[1]
_SPEC = spec_from_file_location("rosdep_keys", REPOSITORY / "tools" / "rosdep_keys.py")
assert _SPEC is not None and _SPEC.loader is not None
rosdep_keys = module_from_spec(_SPEC)
_SPEC.loader.exec_module(rosdep_keys)

PACKAGES = {rosdep_keys.name_of(file): file.parent for file in rosdep_keys.package_files()}
PYTHON_PACKAGES = {
    name: folder for name, folder in PACKAGES.items() if (folder / "setup.py").is_file()
}

# module: (rosdep key or ROS package, name on PyPI); None where there is none.
THIRD_PARTY = {
    "aiohttp": ("python3-aiohttp", "aiohttp"),
    "apsw": (None, "rosbags"),  # part of what rosbags requires
    "backports": (None, "rosbags"),
    "cv2": ("python3-opencv", "opencv-python-headless"),
    "deepface": (None, "deepface"),
    "distributed": (None, "distributed"),
    "fsspec": (None, "fsspec"),
    "hypothesis": ("python3-hypothesis", "hypothesis"),
    "jinja2": ("python3-jinja2", "jinja2"),
    "lifx": (None, "lifx-async"),
    "markupsafe": ("python3-jinja2", "jinja2"),  # part of what jinja2 requires
    "matplotlib": ("python3-matplotlib", "matplotlib"),
    "mcap": (None, "mcap"),
    "numpy": ("python3-numpy", "numpy"),
    "onnx": (None, "onnx"),
    "onnxruntime": ("python3-onnxruntime-pip", "onnxruntime"),
    "paho": ("python3-paho-mqtt", "paho-mqtt"),
    "PIL": ("python3-pil", "pillow"),
    "pytest": ("python3-pytest", "pytest"),
    "rich": ("python3-rich", "rich"),
    "rosbags": ("python3-rosbags-pip", "rosbags"),
    "sacn": (None, "sacn"),
    "safetensors": (None, "safetensors"),
    "scipy": ("python3-scipy", "scipy"),
    "serial": ("python3-serial", "pyserial"),
    "sklearn": ("python3-sklearn", "scikit-learn"),
    "torch": ("python3-torch", "torch"),
    "torchmetrics": (None, "torchmetrics"),
    "tqdm": ("python3-tqdm", "tqdm"),
    "yaml": ("python3-yaml", "pyyaml"),
    "zstandard": (None, "rosbags"),
}
# Of the standard library, from Python 3.14 on or as a statement of the compiler.
STANDARD = {"__future__", "compression"}
# Part of what a package in the same release of ROS brings.
WITH_RCLPY = {"rpyutils"}
# Messages and tools of which a node needs those it speaks, imported when it starts.
OPTIONAL = {
    # The report's lamp; part of Python from 3.14 on.
    "fer_evaluation": {"ambient_light_driver", "compression"},
    "ambient_light_driver": {"irobot_create_msgs"},
    "fer_bridges": {"hri_msgs", "vision_msgs"},
}


def imported_modules(folder: Path) -> set[str]:
    """Return the top-level modules that the files below ``folder`` import, wherever they do."""
    found = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(str(node.module).split(".")[0])
    return found - set(sys.stdlib_module_names) - STANDARD


def setup_words(folder: Path) -> set[str]:
    """Return the distributions that a ``setup.py`` requires, for the package or for an extra."""
    words = set()
    for node in ast.walk(ast.parse((folder / "setup.py").read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(re.split(r"[ <>=!~@\[;]", node.value)[0].lower())
    return words


def test_every_key_resolves_on_ubuntu_or_in_every_distribution():
    table = yaml.safe_load((REPOSITORY / "tools" / "rosdep_keys.yaml").read_text())
    complete = ({"noble", "resolute"}, {"jazzy", "kilted", "lyrical"})
    for name, folder in PACKAGES.items():
        for key in rosdep_keys.dependencies(folder / "package.xml") - PACKAGES.keys():
            assert key in table, f"{name}: run tools/rosdep_keys.py for the new key {key}"
            assert any(places <= set(table[key]) for places in complete), (
                f"{name}: {key} resolves only on {table[key]}"
            )


@pytest.mark.parametrize("name", PACKAGES)
def test_the_manifest_is_valid_and_its_licence_lies_beside_it(name):
    """A package is released alone, without files outside its folder."""
    folder = PACKAGES[name]
    warnings: list[str] = []
    package = parse_package(str(folder / "package.xml"), warnings=warnings)
    assert not warnings
    assert package.version == "0.1.0"
    for licence in package.licenses:
        assert licence.file and (folder / licence.file).resolve().is_relative_to(folder.resolve())
    assert (folder / "LICENSE").read_text() == (REPOSITORY / "LICENSE").read_text()
    assert (folder / "CHANGELOG.rst").read_text().splitlines()[1].endswith(f" {name}")


@pytest.mark.parametrize("name", PYTHON_PACKAGES)
def test_colcon_finds_that_pytest_runs_the_tests(name):
    """Without this extra, 'colcon test' runs unittest, which finds no test and succeeds."""
    assert re.search(r'"test": \[[^]]*"pytest"', (PYTHON_PACKAGES[name] / "setup.py").read_text())


@pytest.mark.parametrize("name", PYTHON_PACKAGES)
def test_every_import_is_declared(name):
    folder = PYTHON_PACKAGES[name]
    declared = rosdep_keys.dependencies(folder / "package.xml")
    words = setup_words(folder)
    missing = []
    for module in sorted(imported_modules(folder / name) - WITH_RCLPY):
        if module == name or module in OPTIONAL.get(name, ()):
            continue
        key, distribution = THIRD_PARTY.get(module, (module, None))
        if key and key not in declared:
            missing.append(f"{module}: {key} in package.xml")
        if distribution and distribution not in words:
            missing.append(f"{module}: {distribution} in setup.py")
    assert not missing


def test_what_the_packages_require_is_in_the_requirements():
    lines = [
        line
        for file in (REPOSITORY / "requirements").glob("*.txt")
        for line in file.read_text().splitlines()
    ]
    pinned = {re.split(r"[<>=\[;]", line)[0].lower() for line in lines if line[:1] not in "#"}
    modules = set().union(*(imported_modules(f / n) for n, f in PYTHON_PACKAGES.items()))
    wanted = {THIRD_PARTY[m][1] for m in modules & THIRD_PARTY.keys()} - {"deepface"}
    assert wanted <= pinned
