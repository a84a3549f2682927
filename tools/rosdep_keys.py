# SPDX-License-Identifier: Apache-2.0
"""Write where our dependencies resolve, from a clone of ros/rosdistro.

    python3 tools/rosdep_keys.py PATH_OF_ROSDISTRO > tools/rosdep_keys.yaml

``tests/test_packaging.py`` compares every ``package.xml`` with that file, so that an unknown key
fails without network access. Repeat this after adding a dependency.
"""

import argparse
import subprocess
from pathlib import Path
from xml.etree import ElementTree  # nosec B405

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
SYSTEMS = ("noble", "resolute")
DISTRIBUTIONS = ("jazzy", "kilted", "lyrical")


def package_files() -> list[Path]:
    """Return the ``package.xml`` of each package of the repository."""
    return sorted(
        file
        for pattern in ("ros2_ws/src/*", "launch", "models")
        for file in REPOSITORY.glob(f"{pattern}/package.xml")
    )


def dependencies(package_file: Path) -> set[str]:
    """Return the keys of all dependencies of a ``package.xml``."""
    root = ElementTree.parse(package_file).getroot()  # nosec B314: our own file
    return {str(item.text) for item in root if item.tag.endswith("depend")}


def name_of(package_file: Path) -> str:
    """Return the name of a package."""
    return str(ElementTree.parse(package_file).findtext("name"))  # nosec B314


def _git_show(clone: Path, path: str) -> str:
    words = ["git", "-C", str(clone), "show", f"HEAD:{path}"]
    return subprocess.check_output(words, text=True)  # nosec B607


def _resolves(rule: object, system: str) -> bool:
    """Return whether a rosdep rule for Ubuntu resolves on ``system``."""
    if isinstance(rule, dict) and not {"pip", "apt"} & rule.keys():
        return bool(rule.get(system, rule.get("*")))
    return bool(rule)


def main(clone: Path) -> None:
    """Print the table as YAML."""
    rules: dict[str, dict[str, object]] = {}
    for name in ("base", "python"):
        rules |= yaml.safe_load(_git_show(clone, f"rosdep/{name}.yaml"))
    packages = {}
    for distribution in DISTRIBUTIONS:
        text = _git_show(clone, f"{distribution}/distribution.yaml")
        repositories = yaml.safe_load(text)["repositories"]
        packages[distribution] = {
            package
            for name, repository in repositories.items()
            for package in repository.get("release", {}).get("packages", [name])
        }
    keys = set().union(*map(dependencies, package_files()))
    table: dict[str, list[str]] = {}
    for key in sorted(keys):
        rule = rules.get(key, {}).get("ubuntu")
        table[key] = [system for system in SYSTEMS if _resolves(rule, system)]
        table[key] += [name for name in DISTRIBUTIONS if key in packages[name]]
    ours = set(map(name_of, package_files()))
    table = {key: places for key, places in table.items() if key not in ours}
    words = ["git", "-C", str(clone), "log", "-1", "--format=%h of %cs"]
    date = subprocess.check_output(words, text=True).strip()  # nosec B607
    print(f"# Made by tools/rosdep_keys.py of rosdistro {date}.")
    print("# Where each key resolves: Ubuntu 24.04 and 26.04 by rosdep, ROS packages by release.")
    print(yaml.safe_dump(table, default_flow_style=None, sort_keys=True), end="")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clone", type=Path, metavar="PATH_OF_ROSDISTRO")
    main(parser.parse_args().clone)
