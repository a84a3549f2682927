# SPDX-License-Identifier: Apache-2.0
"""The report of a bag, in a browser."""

import json
import random
from pathlib import Path

from chromium import Chromium
from fer_evaluation import evaluate_bag, make_bag
from fer_evaluation.batch.index_page import render_index
from fer_evaluation.batch.totals import differences, sums_matrix, totals
from fer_evaluation.comparison.page import render_bags
from fer_evaluation.comparison.rows import rows_of_bags
from fer_evaluation.comparison.runs import paired
from fer_evaluation.report.html_report import render_report
from fer_evaluation.scoring.ground_truth import GroundTruth, LabelRow
from made_results import many_ids, results_of
from replay_bags import small_images, write_bag


def evaluate(bag: Path, out: Path, *options: str) -> Path:
    assert evaluate_bag.main([str(bag), "--out", str(out), "--quiet", *options]) == 0
    return out / "report.html"


def assert_opens(chromium: Chromium, report: Path, *expected: str) -> None:
    for scheme in ("light", "dark"):
        page = chromium.open(report, scheme)
        assert page.errors == []
        assert page.requests == []
        assert page.size[0] <= 1180, "the page is wider than the window"
        for text in expected:
            assert text in page.text


def test_the_report_on_a_real_clip_opens_without_errors_and_requests(
    chromium, media, repository, tmp_path
):
    clip = media / "pexels_sad_to_happy.mp4"
    made = [str(clip), str(tmp_path / "bag"), "--format", "jpeg", "--max-width", "320"]
    assert make_bag.main([*made, "--quiet"]) == 0
    labels = repository / "docs" / "sad_to_happy_labels.csv"
    report = evaluate(tmp_path / "bag", tmp_path / "out", "--labels", str(labels))
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())["metrics"]
    assert metrics["frames"] == metrics["true_faces"] == 472
    assert metrics["coverage"] > 0.95
    assert metrics["accuracy"] > 0.6
    assert (metrics["true_changes"], metrics["missed_changes"]) == (1, 0)
    assert_opens(chromium, report, "Timeline", "Confusion", "Reliability", "Worst mistakes")


def test_a_report_without_labels_and_faces_opens_as_well(chromium, tmp_path):
    bag = write_bag(tmp_path / "bag", small_images(5))
    report = evaluate(bag, tmp_path / "out", "--thumbnails")
    assert_opens(chromium, report, "No face was found", "Without labels")


def test_names_from_a_bag_cannot_become_part_of_the_page(chromium, tmp_path):
    """Strings of an untrusted bag are shown, not executed."""
    name = f"x{random.randrange(10**6)}<img src=x onerror=alert(1)>"
    bag = write_bag(tmp_path / name, small_images(3))
    labels = tmp_path / "labels.csv"
    labels.write_text(f'stamp_ns,label,face_id\n1,fear,"<script>alert(1)</script>{name}"\n')
    report = evaluate(bag, tmp_path / "out", "--labels", str(labels))
    assert "<img" not in report.read_text()
    assert "<script" not in report.read_text()
    assert_opens(chromium, report, name)


# The height of drawn text, and the elements that stick out.
SMALL_TEXT = """
[...document.querySelectorAll('main *, main svg text')].filter(e =>
    [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
    && e.getClientRects().length && !e.closest('details'))
  .map(e => [e.closest('svg') ? e.getBoundingClientRect().height / 1.2
                              : parseFloat(getComputedStyle(e).fontSize), e.textContent])
  .filter(([size]) => size < 9.5).map(([size, text]) => `${size}: ${text}`)
"""
ORDER = """
[...document.querySelectorAll('.row:not(.head)')]
  .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
  .slice(0, 3).map(row => row.firstElementChild.textContent)
"""


def test_the_report_is_readable_on_a_phone_and_sorts_without_scripts(chromium, tmp_path):
    truth = GroundTruth([LabelRow(0, "fear", None, "p1"), LabelRow(0, "sadness", None, "p2")])
    page = tmp_path / "report.html"
    page.write_text(render_report(results_of(many_ids(30), truth)))
    tab = chromium.live(page.as_uri(), width_px=390, height_px=844)
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    assert tab.evaluate(SMALL_TEXT) == []
    assert tab.evaluate(ORDER) == ["f0", "f1", "f2"]
    tab.evaluate("document.querySelector('.sort .by-3').click()")
    assert tab.evaluate(ORDER) == ["f0", "f7", "f14"]
    assert tab.complaints() == []


def test_the_pages_over_bags_and_of_a_comparison_are_readable_on_a_phone(chromium, tmp_path):
    truth = GroundTruth([LabelRow(0, "fear", None, "p1"), LabelRow(0, "sadness", None, "p2")])
    document = json.loads(results_of(many_ids(9), truth).as_json())
    documents = {f"morning/a_bag_with_a_long_name_{n}": document for n in range(20)}
    rows = sums_matrix(list(documents.values()))
    run = {"options": {}, "warnings": ["a warning"], "failed": [{"name": "x", "reason": "y" * 80}]}
    changes = rows_of_bags(totals(rows), differences(rows, rows), 0.5)
    folders = (tmp_path / "before", tmp_path / "after")
    compared = paired(documents, documents)
    pages = {
        "index": render_index("night", documents, totals(rows), run, {}),
        "compare": render_bags(changes, compared, folders, tmp_path / "compare.html", "equal"),
    }
    for name, page in pages.items():
        file = tmp_path / f"{name}.html"
        file.write_text(page)
        tab = chromium.live(file.as_uri(), width_px=390, height_px=844)
        assert tab.evaluate("document.documentElement.scrollWidth") == 390, name
        assert tab.evaluate(SMALL_TEXT) == []
        assert tab.complaints() == []
        assert "a_bag_with_a_long_name_19" in tab.evaluate("document.body.innerText")
