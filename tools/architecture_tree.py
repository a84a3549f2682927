# SPDX-License-Identifier: Apache-2.0
"""Write the tree of the packages, two levels deep, into docs/architecture.md.

    python3 tools/architecture_tree.py

``tests/test_documentation.py`` compares the page with this output.
"""

import argparse
import ast
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "architecture.md"
BEGIN, END = "<!-- tree: written by tools/architecture_tree.py -->", "<!-- end of tree -->"
PACKAGES = (
    "ros2_ws/src/fer_perception/fer_perception",
    "ros2_ws/src/ambient_light_driver/ambient_light_driver",
    "ros2_ws/src/fer_common/fer_common",
    "ros2_ws/src/fer_evaluation/fer_evaluation",
    "ros2_ws/src/fer_training/fer_training",
    "ros2_ws/src/fer_bridges/fer_bridges",
    "ros2_ws/src/fer_client/fer_client",
    "launch/fer_bringup",
)


def first_line(module: Path) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(module.read_text())) or "").split("\n")[0]


def tree() -> str:
    """Return each package with its modules, sub-packages and their purpose."""
    words = ["git", "ls-files", "*.py"]
    listed = subprocess.check_output(words, cwd=REPOSITORY, text=True)  # nosec B607
    files = [REPOSITORY / name for name in listed.splitlines() if (REPOSITORY / name).is_file()]
    lines = []
    for name in PACKAGES:
        folder = REPOSITORY / name
        lines.append(f"{folder.name}/")
        modules = sorted(f for f in files if f.parent == folder and f.name != "__init__.py")
        lines += [f"  {m.name:<28} {first_line(m)}" for m in modules]
        rooms = sorted({f.relative_to(folder).parts[0] for f in files if folder in f.parents[1:]})
        for room in rooms:
            head = folder / room / "__init__.py"
            if head in files:
                names = sorted(f.stem for f in files if f.parent == head.parent and f != head)
                lines.append(f"  {room + '/':<28} {first_line(head)}")
                lines.append(f"  {'':<28}   {', '.join(names)}")
    return "\n".join(lines)


def page() -> str:
    """Return docs/architecture.md with the current tree."""
    before, rest = PAGE.read_text().split(BEGIN)
    return f"{before}{BEGIN}\n```text\n{tree()}\n```\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
