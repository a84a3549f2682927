# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from fer_training.figures.model_card import (
    BEGIN,
    END,
    figures,
    overview,
    replace_figures,
    write_figures,
)


@pytest.fixture
def metrics(shipped_model):
    return json.loads((shipped_model / "metrics.json").read_text())


def test_prose_around_the_figures_stays():
    card = f"# Name\n\n{BEGIN}\nold\n{END}\n\nLimits."
    assert replace_figures(card, "new") == f"# Name\n\n{BEGIN}\nnew\n{END}\n\nLimits."
    with pytest.raises(ValueError, match="lacks the lines"):
        replace_figures("# Name", "new")


def test_a_missing_card_is_begun(tmp_path):
    write_figures(tmp_path / "README.md", "one")
    write_figures(tmp_path / "README.md", "two")
    text = (tmp_path / "README.md").read_text()
    assert "two" in text and "one" not in text


def test_every_card_holds_the_figures_of_its_metrics(repository_models):
    for path in repository_models.glob("*/metrics.json"):
        card = (path.parent / "README.md").read_text()
        assert figures(json.loads(path.read_text())) in card, path.parent.name
    assert overview(repository_models) in (repository_models / "README.md").read_text()


def test_figures_change_with_the_metrics(metrics):
    before = figures(metrics)
    metrics["single_view"]["report"]["accuracy"] += 0.01
    assert figures(metrics) != before
