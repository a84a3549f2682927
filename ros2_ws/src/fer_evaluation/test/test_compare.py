# SPDX-License-Identifier: Apache-2.0
import json

import pytest

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


def test_a_gated_figure_that_is_gone_is_worse(write, capsys):
    assert main([write("a"), write("b", idf1=None)]) == 1
    assert "IDF1" in capsys.readouterr().out.splitlines()[-1]


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
