# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from scipy.stats import bootstrap

from fer_evaluation.batch.totals import sums_matrix, totals
from fer_evaluation.compare import main

GOOD = {
    "accuracy": 0.8,
    "balanced_accuracy": 0.7,
    "macro_f1": 0.7,
    "coverage": 0.9,
    "ece": 0.02,
    "idf1": 0.95,
    "label_flips_per_minute": 6.0,
}


@pytest.fixture
def write(tmp_path):
    def write_one(name, sha256="1", timings=None, **changes):
        folder = tmp_path / name
        folder.mkdir()
        document = {
            "source": {"sha256": sha256},
            "metrics": GOOD | changes,
            "host": {"timings": timings or {}},
        }
        (folder / "metrics.json").write_text(json.dumps(document))
        return str(folder / "metrics.json")

    return write_one


def test_equal_runs_pass(write, capsys):
    assert main([write("a"), write("b")]) == 0
    shown = capsys.readouterr().out
    assert "accuracy" in shown
    assert "80.00 %" in shown
    assert "nothing gated is worse by more than 0.5 points" in shown


def test_a_loss_within_the_allowance_passes_and_one_beyond_it_fails(write, capsys):
    before = write("a")
    assert main([before, write("b", accuracy=0.7951), "--max-drop", "0.5"]) == 0
    assert main([before, write("c", accuracy=0.7949), "--max-drop", "0.5"]) == 1
    assert "WORSE by more than 0.5 points: accuracy" in capsys.readouterr().out


def test_a_calibration_error_that_grows_is_worse_and_one_that_shrinks_is_not(write):
    before = write("a")
    assert main([before, write("b", ece=0.03)]) == 1
    assert main([before, write("c", ece=0.001)]) == 0


def test_a_gated_figure_that_is_gone_fails_as_missing(write, capsys):
    assert main([write("a"), write("b", idf1=None)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "MISSING in the second run: IDF1"


def test_what_is_not_gated_is_shown_and_passes(write, capsys):
    assert main([write("a"), write("b", label_flips_per_minute=60.0)]) == 0
    [line] = [x for x in capsys.readouterr().out.splitlines() if x.startswith("label flips")]
    assert "+54.00" in line
    assert line.endswith("worse")


def test_folders_serve_as_well_and_other_recordings_are_told(write, tmp_path, capsys):
    write("a")
    write("b", sha256="2")
    assert main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "different recordings" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "{", "[]", '{"other": 1}'])
def test_what_cannot_be_compared_gets_one_line_and_exit_code_2(write, tmp_path, capsys, content):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    assert main([write("a"), str(path)]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("compare: ")
    assert errors.count("\n") == 1


def test_the_page_says_what_the_terminal_says_and_replaces_nothing(write, tmp_path, capsys):
    page = tmp_path / "compare.html"
    before, after = write("a"), write("b", accuracy=0.7, idf1=0.99)
    assert main([before, after, "--html", str(page)]) == 1
    text = page.read_text()
    assert "WORSE by more than 0.5 points: accuracy" in text
    assert "-10.00" in text and "keeps one id" in text
    assert "<script" not in text
    assert main([before, before, "--html", str(page)]) == 2
    assert "compare.html exists: name another file, or give --overwrite" in capsys.readouterr().err
    assert page.read_text() == text
    assert main([before, before, "--html", str(page), "--overwrite"]) == 0
    assert "nothing gated is worse" in page.read_text()


def sums(right, wrong, flips=0):
    """A bag of happiness, in part taken for fear."""
    confusion = np.zeros((7, 8), int)
    confusion[1, 1], confusion[1, 6] = right, wrong
    count, correct, confidence = np.zeros((3, 15), int)
    count[-1], correct[-1], confidence[-1] = right + wrong, right, right + wrong
    return {
        "frames": right + wrong,
        "true_faces": right + wrong,
        "labels": confusion.sum(0).tolist(),
        "confusion": confusion.tolist(),
        "bin_count": count.tolist(),
        "bin_confidence": confidence.tolist(),
        "bin_correct": correct.tolist(),
        "id_matched": 0,
        "id_counted": 0,
        "flips": flips,
        "face_s": 60.0,
    }


@pytest.fixture
def write_run(tmp_path):
    def write_one(run, bags):
        for name, (right, wrong) in bags.items():
            folder = tmp_path / run / "bags" / name
            folder.mkdir(parents=True)
            total = right + wrong
            document = {
                "source": {"name": name, "sha256": name},
                "metrics": {"accuracy": right / total, "label_flips_per_minute": 0.0},
                "sums": sums(right, wrong),
            }
            (folder / "metrics.json").write_text(json.dumps(document))
        listed = {"bags": [{"name": name} for name in bags]}
        (tmp_path / run / "run.json").write_text(json.dumps(listed))
        return str(tmp_path / run)

    return write_one


def line_of(shown, name):
    [line] = [line for line in shown.splitlines() if line.startswith(name)]
    return line


def test_of_many_bags_a_change_in_all_is_significant_and_one_in_some_is_not(
    write_run, tmp_path, capsys
):
    """Each bag has its own level: only pairs show the small change."""
    before = {f"bag{n}": (10 + 4 * n, 90 - 4 * n) for n in range(20)}
    better = {name: (right + 2, wrong - 2) for name, (right, wrong) in before.items()}
    mixed = {
        name: (right + (9 if n % 2 else -8), wrong - (9 if n % 2 else -8))
        for n, (name, (right, wrong)) in enumerate(before.items())
    }
    first = write_run("before", before)
    assert main([first, write_run("better", better)]) == 0
    line = line_of(capsys.readouterr().out, "accuracy")
    assert "+2.00" in line and line.endswith("better, significant")
    page = tmp_path / "page.html"
    assert main([first, write_run("mixed", mixed), "--html", str(page)]) == 0
    assert line_of(capsys.readouterr().out, "accuracy").endswith("better, may be chance")
    assert 'href="before/bags/bag0/report.html"' in page.read_text()
    assert main([first, first]) == 0
    line = line_of(capsys.readouterr().out, "accuracy")
    assert "[+0.00, +0.00]" in line and line.endswith("=")


def test_bags_that_only_one_run_has_are_left_out_by_name(write_run, write, capsys):
    first = write_run("a", {"x": (9, 1), "y": (5, 5)})
    second = write_run("b", {"x": (9, 1), "z": (1, 9)})
    assert main([first, second]) == 1
    shown = capsys.readouterr().out
    assert "MISSING in the second run: bags y\n" in shown
    more = write_run("d", {"x": (9, 1), "y": (5, 5), "z": (1, 9)})
    assert main([first, more]) == 0
    capsys.readouterr()
    assert "bags in both runs: 1" in shown
    assert "2 bags are left out, as only one run has them: y, z" in shown
    assert main([first, write_run("c", {"q": (1, 1)})]) == 2
    assert "no bag in common" in capsys.readouterr().err
    assert main([first, write("single")]) == 2
    assert "one is a run of many bags, the other of one" in capsys.readouterr().err


def test_runs_without_a_gated_figure_do_not_pass(write, capsys):
    unlabelled = dict.fromkeys(GOOD.keys() - {"label_flips_per_minute"})
    before, after = write("a", **unlabelled), write("b", **unlabelled)
    assert main([before, after]) == 2
    assert "nothing was gated" in capsys.readouterr().out


def test_the_intervals_are_those_of_scipy(rng):
    """The percentile bootstrap of a ratio of sums, written independently."""
    counts = rng.integers(0, 50, (40, 2)) + 1
    rows = sums_matrix([{"sums": sums(int(right), int(wrong))} for right, wrong in counts])
    [accuracy] = [total for total in totals(rows) if total.figure.key == "accuracy"]

    def ratio(right, wrong, axis=-1):
        return right.sum(axis) / (right.sum(axis) + wrong.sum(axis))

    theirs = bootstrap(
        (counts[:, 0], counts[:, 1]), ratio, paired=True, vectorized=True, method="percentile"
    ).confidence_interval
    assert accuracy.value == pytest.approx(100 * ratio(counts[:, 0], counts[:, 1]), abs=1e-3)
    assert (accuracy.low, accuracy.high) == pytest.approx(
        (100 * theirs.low, 100 * theirs.high), abs=0.7
    )
