# SPDX-License-Identifier: Apache-2.0
"""The documentation covers every package, text and message, and its links resolve.

``make docs`` builds the pages and accepts no warning; that is too slow for here.
"""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from xml.etree import ElementTree

import pytest
from catkin_pkg.changelog import get_changelog_from_path

from fer_perception.settings import PerceptionSettings, build_pipeline
from png_text import text_of

PACKAGES = {
    "ambient_light_driver": "ros2_ws/src/ambient_light_driver",
    "fer_bridges": "ros2_ws/src/fer_bridges",
    "fer_client": "ros2_ws/src/fer_client",
    "fer_common": "ros2_ws/src/fer_common",
    "fer_evaluation": "ros2_ws/src/fer_evaluation",
    "fer_bringup": "launch",
    "fer_models": "models",
    "fer_msgs": "ros2_ws/src/fer_msgs",
    "fer_perception": "ros2_ws/src/fer_perception",
    "fer_training": "ros2_ws/src/fer_training",
}
TEXTS = (
    "*.md",
    "bench/*.md",
    "docs/**/*.md",
    "launch/*.md",
    "models/**/*.md",
    "ros2_ws/src/*/*.md",
)


@pytest.fixture(params=PACKAGES)
def package(request, repository: Path) -> Path:
    """The folder of each package in turn."""
    folder = repository / PACKAGES[request.param]
    assert name_of(folder) == request.param
    return folder


def name_of(package: Path) -> str | None:
    return ElementTree.parse(package / "package.xml").findtext("name")


def texts(repository: Path) -> list[Path]:
    """All Markdown files of the documentation, without copies in pip's ``build`` folders."""
    return [
        path
        for pattern in TEXTS
        for path in sorted(repository.glob(pattern))
        if "build" not in path.relative_to(repository).parts
    ]


def test_every_package_is_checked(repository):
    found = {path.parent for path in repository.glob("ros2_ws/src/*/package.xml")}
    found |= {repository / "launch", repository / "models"}
    assert found == {repository / folder for folder in PACKAGES.values()}


def test_changelog_has_the_form_that_catkin_reads(package):
    """``catkin_prepare_release`` gives what is forthcoming a version."""
    changelog = package / "CHANGELOG.rst"
    rule, title, same_rule, empty, *rest = changelog.read_text().splitlines()
    assert title == f"Changelog for package {name_of(package)}"
    assert rule == same_rule == "^" * len(title)
    assert (empty, *rest[:2]) == ("", "Forthcoming", "-----------")
    assert rest[2].startswith("* ")
    assert get_changelog_from_path(str(changelog)) is not None


def test_quality_declaration_claims_the_level_that_the_overview_gives(package, repository):
    declaration = package / "QUALITY_DECLARATION.md"
    [level] = re.findall(r"Quality Level (\d)", declaration.read_text())
    link = f"../{declaration.relative_to(repository)}"
    overview = (repository / "docs" / "quality.md").read_text()
    assert f"[`{name_of(package)}`]({link}) | {level} |" in overview


def test_the_python_names_of_every_package_are_documented(repository):
    settings = (repository / "docs" / "conf.py").read_text()
    contents = (repository / "docs" / "index.md").read_text()
    for name, folder in PACKAGES.items():
        # fer_models holds data: its package has no names.
        if len(list((repository / folder / name).glob("*.py"))) > 1:
            assert f'"{folder}/{name}"' in settings
            assert f"api/{name}/index" in contents


def test_every_text_is_in_the_contents(repository):
    folder = repository / "docs"
    listed = re.findall(r"^([\w./]+)$", (folder / "index.md").read_text(), re.MULTILINE)
    written = {(folder / f"{name}.md").resolve() for name in listed if not name.startswith("api/")}
    assert written == set(texts(repository)) - {folder / "index.md"}


def test_every_message_is_shown(repository):
    folder = repository / "ros2_ws" / "src" / "fer_msgs"
    text = (repository / "docs" / "messages.md").read_text()
    shown = re.findall(r"\{literalinclude\} (\S+)", text)
    assert {(repository / "docs" / path).resolve() for path in shown} == {
        *folder.glob("action/*.action"),
        *folder.glob("msg/*.msg"),
        *folder.glob("srv/*.srv"),
    }


def test_links_lead_to_what_is_there(repository):
    for text in texts(repository):
        prose = re.sub(r"^```.*?^```", "", text.read_text(), flags=re.DOTALL | re.MULTILINE)
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
            if "://" not in link:
                assert (text.parent / link).exists(), f"{text}: {link}"


@pytest.mark.parametrize("name", ["parameter_page", "architecture_tree"])
def test_generated_pages_are_up_to_date(repository, name):
    spec = spec_from_file_location(name, repository / "tools" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), f"run python3 tools/{name}.py"


def test_the_picture_of_the_report_shows_the_present_model(repository):
    """Else: python3 tools/record_report.py CLIP."""
    shown = text_of((repository / "docs" / "replay_report.png").read_bytes())["model_id"]
    present = build_pipeline(PerceptionSettings()).recognizer.model_id
    # What follows the slash is the precision, which depends on the processor.
    assert shown.partition("/")[0] == present.partition("/")[0]
