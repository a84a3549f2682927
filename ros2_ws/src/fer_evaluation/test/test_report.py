# SPDX-License-Identifier: Apache-2.0
"""Every sentence of the report is true of its run."""

import json
import re

import pytest

from fer_evaluation.batch.totals import sums_matrix, totals
from fer_evaluation.report.html_report import render_report
from fer_evaluation.scoring.ground_truth import GroundTruth, LabelRow
from made_results import face, many_ids, results_of


def text_of(page):
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_of_many_ids_each_is_in_the_table_and_the_sentence_counts_them():
    """All are seen equally long: none may be said to be seen more briefly."""
    page = render_report(results_of(many_ids(30)))
    text = text_of(page)
    assert "8 of 30 face ids have a lane of their own" in text
    assert "fewer frames" not in text and "briefly" not in text
    for n in range(30):
        assert f'<span role="cell">f{n}</span>' in page
    assert "at most 3 at once, 2.9 on average" in text
    assert 'aria-label="faces over time"' in page


def test_what_the_table_leaves_out_is_counted():
    page = render_report(results_of(many_ids(510)))
    assert page.count('class="row" role="row"') == 500
    assert "These are the first 500 ids; the other 10 are in emotions.csv." in text_of(page)
    assert "the first lane holds all of them" in text_of(page)


def rows_of(page):
    """Return the id and the places of each row."""
    found = re.findall(r'role="row" style="([^"]+)"><span role="cell">(\w+)<', page)
    return {name: list(map(int, re.findall(r":(\d+);", places))) for places, name in found}


def test_ids_are_sorted_by_time_by_frames_and_by_label():
    frames = [(0.0, [face("early", "fear")])]
    frames += [(0.1 * n, [face("long", "neutral")]) for n in range(1, 9)]
    frames += [(0.9, [face("late", "sadness"), face("early", "fear")])]
    places = rows_of(render_report(results_of(frames)))
    orders = [sorted(places, key=lambda name: places[name][n]) for n in range(4)]
    assert orders == [
        ["early", "long", "late"],  # first seen
        ["long", "early", "late"],  # last seen
        ["long", "early", "late"],  # most frames
        ["long", "late", "early"],  # label
    ]


def test_without_labels_it_shows_shares_and_people():
    frames = [(0.1 * n, [face("a", "happiness"), face("b", "unknown")]) for n in range(3)]
    frames += [(0.3, [face("a", "sadness")]), (0.4, [])]
    results = results_of(frames)
    assert results.metrics.expressions == pytest.approx(
        {"happiness": 3 / 7, "unknown": 3 / 7, "sadness": 1 / 7}, abs=1e-5
    )
    text = text_of(render_report(results))
    assert "Shares of 7 predicted faces in 4 of 5 frames. At least 2 people" in text
    assert "under 2 face ids" in text
    assert "42.9 %" in text and "14.3 %" in text
    assert "Accuracy" not in text


def test_each_figure_is_explained_where_it_stands():
    truth = GroundTruth([LabelRow(0, "fear", None, "p1"), LabelRow(0, "sadness", None, "p2")])
    frames = [(0.1 * n, [face("a", "fear"), face("b", "sadness")]) for n in range(5)]
    page = render_report(results_of(frames, truth))
    tiles = re.findall(r'class="name">([^<]+)<.*?class="meaning">([^<]*)<', page, re.DOTALL)
    meanings = dict(tiles)
    assert "mean distance between confidence" in meanings["Calibration error"]
    assert "keeps one id" in meanings["IDF1"]
    assert "mean over the classes" in meanings["Macro-F1"]
    assert all(meanings.values())


def test_the_counts_that_add_up_give_the_figures():
    truth = GroundTruth([LabelRow(0, "fear", None, "p1"), LabelRow(0, "sadness", None, "p2")])
    frames = [
        (0.1 * n, [face("a", "fear" if n % 3 else "anger"), face("b", "sadness")])
        for n in range(10)
    ]
    results = results_of(frames, truth)
    sums, metrics = results.scoring.sums(), results.metrics
    right = sum(sums.confusion[n][n] for n in range(7))
    assert right / sum(map(sum, sums.confusion)) == metrics.accuracy
    assert 2 * sums.id_matched / sums.id_counted == metrics.idf1
    assert 60 * sums.flips / sums.face_s == pytest.approx(metrics.label_flips_per_minute)
    assert sum(sums.labels) == metrics.faces
    pooled = totals(sums_matrix([json.loads(results.as_json())]))
    for total in pooled:
        if not total.figure.key.startswith("share_"):
            assert total.value == pytest.approx(
                total.figure.value({"metrics": vars(metrics)}), abs=2e-3
            )
    assert len(pooled) == 7 + 3
