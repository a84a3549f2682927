# SPDX-License-Identifier: Apache-2.0
"""Record the picture of a report in ``docs/replay.md`` in Chromium.

``python3 tools/record_report.py CLIP`` (after ``make build`` and ``source tools/env.sh``) writes
``docs/replay_report.png`` on a clip of a face that turns from sad to happy. The picture holds the
id of the present model, which a test compares. It shows no face.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from fer_evaluation import evaluate_bag, make_bag

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.append(str(REPOSITORY / "tests" / "support"))

from chromium import Chromium  # noqa: E402 - needs the path set above
from png_text import with_text  # noqa: E402

PICTURE = REPOSITORY / "docs" / "replay_report.png"
LABELS = REPOSITORY / "docs" / "sad_to_happy_labels.csv"


def main(args: list[str] | None = None) -> int:
    """Record; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, help="video that fits docs/sad_to_happy_labels.csv")
    clip = parser.parse_args(args).clip
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("Chromium is missing: apt-get install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        bag, out = Path(folder) / "sad_to_happy", Path(folder) / "report"
        made = [str(clip), str(bag), "--format", "jpeg", "--quiet"]
        evaluated = [str(bag), "--labels", str(LABELS), "--out", str(out), "--quiet"]
        code = make_bag.main(made) or evaluate_bag.main(evaluated)
        if code:
            return code
        model_id = json.loads((out / "metrics.json").read_text())["model"]["model_id"]
        browser = Chromium(program)
        try:
            page = browser.open(out / "report.html")
        finally:
            browser.close()
    PICTURE.write_bytes(with_text(page.png, {"model_id": model_id}))
    print(f"Wrote {PICTURE}: {model_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
