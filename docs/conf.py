# SPDX-License-Identifier: Apache-2.0
"""Settings of the documentation, which ``make docs`` builds into ``build/docs``.

The whole repository is the source folder, so that links work here as on the site that shows it.
The Python packages are read, not imported: no ROS 2 and no PyTorch is needed.
"""

from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

REPOSITORY = Path(__file__).resolve().parent.parent

project = "fer_light"
copyright = "Maintainers of fer_perception, Apache-2.0"

extensions = ["autoapi.extension", "myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "bench/*.md",
    "docs/**",
    "launch/*.md",
    "models/**.md",
    "ros2_ws/src/*/*.md",
]
exclude_patterns = [".*", "build", "demo", "install", "log"]
html_theme = "furo"
html_title = "fer_light"

autoapi_dirs = [
    str(REPOSITORY / folder)
    for folder in (
        "ros2_ws/src/fer_perception/fer_perception",
        "ros2_ws/src/ambient_light_driver/ambient_light_driver",
        "ros2_ws/src/fer_bridges/fer_bridges",
        "ros2_ws/src/fer_client/fer_client",
        "ros2_ws/src/fer_common/fer_common",
        "ros2_ws/src/fer_evaluation/fer_evaluation",
        "ros2_ws/src/fer_training/fer_training",
        "launch/fer_bringup",
    )
]
autoapi_root = "docs/api"
autoapi_add_toctree_entry = False
autoapi_options = ["members", "show-inheritance", "show-module-summary"]
autoapi_member_order = "bysource"
autodoc_typehints = "signature"

# Headings can be linked to.
myst_heading_anchors = 3


def show_folders_as_text(app: Sphinx, tree: nodes.document) -> None:
    """Replace links to folders of the repository by text."""
    here = REPOSITORY / f"{app.env.docname}.md"
    for link in list(tree.findall(addnodes.pending_xref)):
        if (here.parent / link["reftarget"]).is_dir():
            link.replace_self(link.children)


def setup(app: Sphinx) -> None:
    """Take part in the build."""
    app.connect("doctree-read", show_folders_as_text)
