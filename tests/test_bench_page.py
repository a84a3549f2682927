# SPDX-License-Identifier: Apache-2.0
"""The page of measured figures keeps what is not measured again."""

from pathlib import Path

import pytest

from bench.frontier import Point, on_the_frontier
from bench.page import Page, page_of, sections_of
from bench.peers import Peer


def measured(page: Page, figure: str, path: Path, part: str) -> None:
    page.table(f"Speed of {part}, ms", ["ms"], [[figure]])
    page.end(path, ["a", "b"], part, f"make bench BENCH_ARGS={part}")


def test_a_part_replaces_its_own_section_only(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(page_of({"other": "## Other commands\n\nkept\n"}, []), encoding="utf-8")
    page = Page()
    measured(page, "1.0", path, "b")
    measured(page, "2.0", path, "a")
    before = sections_of(path.read_text(encoding="utf-8"))
    measured(page, "3.0", path, "a")
    after = sections_of(path.read_text(encoding="utf-8"))
    assert list(after) == ["a", "b", "other"]
    assert (after["b"], after["other"]) == (before["b"], before["other"])
    assert "3.0" in after["a"] and "2.0" not in after["a"]
    assert "BENCH_ARGS=a`" in after["a"]


def test_a_skipped_part_keeps_its_section(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    page = Page()
    measured(page, "1.0", path, "a")
    before = path.read_text(encoding="utf-8")
    page.text("skipped: give --data")
    page.end(path, ["a", "b"], "a", "make bench")
    assert path.read_text(encoding="utf-8") == before


def test_another_text_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="--page"):
        sections_of("# Notes\n")


def test_the_frontier_has_what_no_other_beats_in_both() -> None:
    def point(name: str, accuracy: float, face_ms: float) -> Point:
        return Point(name, True, accuracy, accuracy, face_ms, None)

    fast, slow = point("fast", 0.7, 1.0), point("slow", 0.8, 5.0)
    points = [slow, point("slower and worse", 0.6, 9.0), fast, point("as slow", 0.75, 5.0)]
    assert on_the_frontier(points) == [fast, slow]


def test_a_missing_peer_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FER_BENCH_PEERS", str(tmp_path))
    monkeypatch.delenv("FER_BENCH_YUNET", raising=False)
    assert "bench-peers is not installed" in Peer("mtcnn", "mtcnn", "bench-peers").missing()
    assert "FER_BENCH_YUNET" in Peer("yunet", "YuNet", file="FER_BENCH_YUNET").missing()
