# SPDX-License-Identifier: Apache-2.0
"""Declarations of the packages: licences, rosdep keys and imports."""

import ast
import re
import shutil
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from catkin_pkg.package import parse_package
from colcon_core.task.python.test import has_test_dependency
from colcon_python_setup_py.package_identification.python_setup_py import get_setup_information

REPOSITORY = Path(__file__).resolve().parents[1]


def _tool(name: str) -> ModuleType:
    spec = spec_from_file_location(name, REPOSITORY / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


rosdep_keys = _tool("rosdep_keys")
check_files = _tool("check_files")

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
# An application and a folder of data.
WITHOUT_API = {"fer_bringup", "fer_models"}
# What the tests of several packages share.
SUPPORT = {file.stem for file in (REPOSITORY / "tests" / "support").glob("*.py")}
# Messages and tools of which a node needs those it speaks, imported when it starts.
OPTIONAL = {
    # The report's lamp; part of Python from 3.14 on.
    "fer_evaluation": {"ambient_light_driver", "compression"},
    "ambient_light_driver": {"irobot_create_msgs"},
    "fer_client": {"py_trees"},
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


@pytest.mark.parametrize(
    ("distribution", "ubuntu"), [("jazzy", "noble"), ("kilted", "noble"), ("lyrical", "resolute")]
)
def test_every_key_resolves(distribution, ubuntu):
    table = yaml.safe_load((REPOSITORY / "tools" / "rosdep_keys.yaml").read_text())
    variables = {"ROS_DISTRO": distribution, "PIP_BREAK_SYSTEM_PACKAGES": "1"}
    for name, folder in PACKAGES.items():
        package = parse_package(str(folder / "package.xml"))
        package.evaluate_conditions(variables)
        kinds = ("build", "buildtool", "build_export", "buildtool_export", "exec", "test", "doc")
        dependencies = [item for kind in kinds for item in getattr(package, f"{kind}_depends")]
        keys = {item.name for item in dependencies if item.evaluated_condition}
        for key in keys - PACKAGES.keys():
            assert key in table, f"{name}: run tools/rosdep_keys.py for the new key {key}"
            assert {distribution, ubuntu} & set(table[key]), (
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


# What each breaks: the order of elements, an unknown attribute, a version, an address.
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<version>0.1.0</version>", ""),
        ("</package>", "<license>MIT</license></package>"),
        ("<depend>rclpy<", '<depend optional="true">rclpy<'),
        ("<version>0.1.0", "<version>0.1"),
        ('email="maintainers@example.com"', 'email="nobody"'),
        ("<build_type>ament_python", "<build_type>ament_pyton"),
    ],
)
def test_a_manifest_that_does_not_fit_its_schema_is_reported(tmp_path, old, new):
    xmllint = shutil.which("xmllint")
    if xmllint is None:
        pytest.skip("xmllint is not installed: no package.xml was held against the schema")
    sound = (PACKAGES["fer_bridges"] / "package.xml").read_text()
    assert old in sound
    file = tmp_path / "package.xml"
    file.write_text(sound)
    assert check_files.outside_schema([file], xmllint) == []
    file.write_text(sound.replace(old, new))
    assert str(file) in check_files.outside_schema([file], xmllint)[0]


def test_a_source_file_without_the_licence_is_reported(tmp_path):
    header = f"#!/usr/bin/env python3\n# {check_files.LICENCE}\n"
    texts = {"a.py": header, "b.py": "pass\n", "c.cpp": "int x;\n", "d.txt": "words\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = check_files.without_licence([tmp_path / name for name in texts])
    assert [line.split(":")[0] for line in found] == [str(tmp_path / n) for n in ("b.py", "c.cpp")]


@pytest.mark.parametrize("name", PYTHON_PACKAGES)
def test_colcon_finds_that_pytest_runs_the_tests(name):
    """Otherwise 'colcon test' runs unittest, which finds no test and succeeds."""
    assert has_test_dependency(get_setup_information(PYTHON_PACKAGES[name] / "setup.py"), "pytest")


@pytest.mark.parametrize("name", sorted(PYTHON_PACKAGES.keys() - WITHOUT_API))
def test_every_public_name_can_be_imported(name):
    if name == "fer_training":
        pytest.importorskip("torch")
    package = import_module(name)
    assert package.__all__
    for public in package.__all__:
        assert public in dir(package)
        assert hasattr(package, public), public
    with pytest.raises(AttributeError, match="nonsense"):
        package.nonsense  # noqa: B018


@pytest.mark.parametrize("name", PYTHON_PACKAGES)
def test_every_import_is_declared(name):
    folder = PYTHON_PACKAGES[name]
    declared = rosdep_keys.dependencies(folder / "package.xml")
    words = setup_words(folder)
    missing = []
    shipped = imported_modules(folder / name)
    in_tests = imported_modules(folder / "test") - SUPPORT
    for module in sorted((shipped | in_tests) - WITH_RCLPY):
        if module == name or module in OPTIONAL.get(name, ()):
            continue
        key, distribution = THIRD_PARTY.get(module, (module, None))
        if key and key not in declared:
            missing.append(f"{module}: {key} in package.xml")
        if distribution and distribution not in words and module in shipped:
            missing.append(f"{module}: {distribution} in setup.py")
    assert not missing


def test_the_oldest_onnxruntime_is_declared_alike():
    """Earlier releases do not load the models."""
    for name in ("fer_perception", "fer_training"):
        folder = PACKAGES[name]
        [manifest] = (
            dependency.version_gte
            for dependency in parse_package(str(folder / "package.xml")).exec_depends
            if dependency.name == "python3-onnxruntime-pip"
        )
        assert manifest == "1.16.0"
        assert '"onnxruntime>=1.16"' in (folder / "setup.py").read_text()


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
