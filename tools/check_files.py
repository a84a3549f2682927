# SPDX-License-Identifier: Apache-2.0
"""Check licence headers and package.xml files, as ament_copyright and ament_xmllint do.

    python3 tools/check_files.py

Exits with 1 after a line for each finding. Without xmllint (Ubuntu: libxml2-utils) the second
check is left out, which is printed.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SCHEMA = REPOSITORY / "tools" / "package_format3.rng"
LICENCE = "SPDX-License-Identifier: Apache-2.0"
SOURCES = {".bash", ".cpp", ".css", ".h", ".html", ".inc", ".js", ".py", ".sh"}
SOURCE_NAMES = {"CMakeLists.txt", "Makefile"}
LINES_READ = 3
"""A header may follow a line for the interpreter or the document's type."""


def repository_files() -> list[Path]:
    """Return the files that git tracks or would add."""
    words = ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others"]
    names = subprocess.check_output([*words, "--exclude-standard"], text=True)
    return [file for name in names.split("\0") if (file := REPOSITORY / name).is_file()]


def without_licence(files: Iterable[Path]) -> list[str]:
    """Return a line for each source file without a licence header."""
    return [
        f"{file}:1: the header does not name the licence: {LICENCE}"
        for file in files
        if (file.suffix in SOURCES or file.name in SOURCE_NAMES)
        and not any(LICENCE in line for line in file.read_text().splitlines()[:LINES_READ])
    ]


def outside_schema(manifests: Iterable[Path], xmllint: str) -> list[str]:
    """Return a line for each fault of the ``package.xml`` files."""
    words = [xmllint, "--noout", "--nonet", "--relaxng", str(SCHEMA), *map(str, manifests)]
    done = subprocess.run(words, capture_output=True, text=True)
    return [line for line in done.stderr.splitlines() if line and not line.endswith(" validates")]


def main() -> int:
    """Print the findings; return the exit code."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    files = repository_files()
    findings = without_licence(files)
    manifests = [file for file in files if file.name == "package.xml"]
    if xmllint := shutil.which("xmllint"):
        findings += outside_schema(manifests, xmllint)
    else:
        print("xmllint (libxml2-utils) is missing: package.xml files were not checked")
    print(*findings, sep="\n", end="\n" if findings else "", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
