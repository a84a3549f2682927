# SPDX-License-Identifier: Apache-2.0
"""Many bags: side by side, interrupted, resumed, on a cluster; the results are the same."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_evaluation import evaluate_bag
from fer_evaluation.batch.sources import named_sources
from fer_perception.images.frame_source import PortraitSource
from replay_bags import small_images, write_bag

COUNT = 6


def portrait_frames(count, first):
    source = PortraitSource(160, 120)
    return [source.read() for _ in range(first + count)][first:]


@pytest.fixture(scope="module")
def bags(tmp_path_factory):
    """Bags of a portrait, in two folders, and what is not a bag beside them."""
    folder = tmp_path_factory.mktemp("recordings")
    for n in range(COUNT):
        place = folder / ("morning" if n % 2 else "evening")
        place.mkdir(exist_ok=True)
        write_bag(place / f"run_{n}", portrait_frames(6, n), encoding="jpeg")
    (folder / "notes.txt").write_text("nothing")
    labels = folder.with_name("labels")
    for n in range(COUNT):
        file = labels / ("morning" if n % 2 else "evening") / f"run_{n}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"time_s,label\n0,{'happiness' if n else 'fear'}\n")
    return folder


def arguments(bags, out, *options):
    labels = bags.with_name("labels")
    words = [bags, "--labels", labels, "--out", out, "--quiet", *options]
    return [str(word) for word in words]


@pytest.fixture(scope="module")
def serial(bags, tmp_path_factory):
    out = tmp_path_factory.mktemp("serial") / "out"
    assert evaluate_bag.main(arguments(bags, out)) == 0
    return out


def without_host(file):
    document = json.loads(file.read_text())
    assert document.pop("host")
    return json.dumps(document)


def assert_equal(out, expected):
    """Every table is equal byte for byte, and every figure but those of speed."""
    files = sorted(p.relative_to(expected) for p in expected.rglob("*") if p.is_file())
    assert sorted(p.relative_to(out) for p in out.rglob("*") if p.is_file()) == files
    for file in files:
        if file.suffix == ".csv":
            assert (out / file).read_bytes() == (expected / file).read_bytes()
        if file.suffix == ".json":
            assert without_host(out / file) == without_host(expected / file)


def test_each_bag_has_a_report_and_one_page_links_them(serial):
    run = json.loads((serial / "run.json").read_text())
    names = [f"{'morning' if n % 2 else 'evening'}/run_{n}" for n in (0, 2, 4, 1, 3, 5)]
    assert [bag["name"] for bag in run["bags"]] == names
    page = (serial / "index.html").read_text()
    for name in names:
        assert f'href="bags/{name}/report.html"' in page
        assert (serial / "bags" / name / "report.html").exists()
    total = run["totals"]["accuracy"]
    assert total["value"] == pytest.approx(100 * 5 / 6, abs=0.01)
    assert total["low"] < total["value"] < total["high"] == 100.0
    # The one wrong bag is first, and its time range the worst.
    rows = page.split("Worst time ranges")[1]
    assert rows.index("run_0") < rows.index("run_1")
    assert "<script" not in page


def test_a_bag_alone_gives_the_same_report(bags, serial, tmp_path):
    labels = bags.with_name("labels") / "morning" / "run_1.csv"
    words = [bags / "morning" / "run_1", "--labels", labels, "--out", tmp_path / "out", "--quiet"]
    assert evaluate_bag.main([str(word) for word in words]) == 0
    assert_equal(tmp_path / "out", serial / "bags" / "morning" / "run_1")


def test_two_processes_give_the_results_of_one_though_one_is_killed(bags, serial, tmp_path):
    out = tmp_path / "out"
    process = start(arguments(bags, out, "--jobs", "2"))
    wait_for(lambda: list((out / "bags").rglob("*.part")), process)
    [victim, *_] = workers_of(process.pid)
    os.kill(victim, signal.SIGKILL)
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert f"{COUNT} bags evaluated, 0 failed" in printed
    assert errors == ""
    assert_equal(out, serial)


def test_ctrl_c_leaves_whole_reports_only_and_the_same_command_goes_on(bags, serial, tmp_path):
    out = tmp_path / "out"
    process = start(arguments(bags, out, "--jobs", "2"))
    wait_for(lambda: list(out.rglob("report.html")), process)
    workers = workers_of(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command continues with the rest" in errors
    assert "Traceback" not in errors
    assert not list(out.rglob("*.part"))
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    first = next(out.rglob("report.html"))
    before = first.stat().st_mtime_ns
    assert evaluate_bag.main(arguments(bags, out)) == 0
    assert first.stat().st_mtime_ns == before
    assert_equal(out, serial)


def start(words):
    return subprocess.Popen(
        [sys.executable, "-m", "fer_evaluation.evaluate_bag", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition, process):
    end_s = time.monotonic() + 120.0
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end_s
        time.sleep(0.005)


def workers_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def test_an_earlier_run_of_other_options_or_bags_is_not_overwritten(bags, serial, capsys):
    before = {file: file.read_bytes() for file in serial.rglob("*") if file.is_file()}
    assert evaluate_bag.main(arguments(bags, serial, "--min-iou", "0.5")) == 2
    assert "run.json is an earlier run's with other min_iou" in capsys.readouterr().err
    words = arguments(bags, serial)
    assert evaluate_bag.main([str(bags / "morning"), *words[1:]]) == 2
    assert "an earlier run's that also covers evening/run_0" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in serial.rglob("*") if file.is_file()} == before


def test_failed_bags_are_named_and_counted_and_the_others_evaluated(tmp_path, capsys):
    for name in ("a", "b"):
        write_bag(tmp_path / "bags" / name, small_images(2))
    (tmp_path / "bags" / "broken").mkdir()
    (tmp_path / "bags" / "broken" / "metadata.yaml").write_text("")
    out = tmp_path / "out"
    words = [str(tmp_path / "bags"), str(tmp_path / "gone"), "--out", str(out), "--quiet"]
    assert evaluate_bag.main(words) == 1
    captured = capsys.readouterr()
    assert "2 bags evaluated, 2 failed" in captured.out
    assert f"failed: gone: {tmp_path / 'gone'}: no such bag" in captured.err
    assert "failed: broken: " in captured.err and "is not a bag" in captured.err
    assert "2 of 4 bags are not in the figures: they failed" in captured.err
    run = json.loads((out / "run.json").read_text())
    assert [one["name"] for one in run["failed"]] == ["broken", "gone"]
    assert "no such bag" in (out / "index.html").read_text()
    # A bag that changed is not mixed with its old report.
    shutil.rmtree(tmp_path / "bags" / "a")
    write_bag(tmp_path / "bags" / "a", small_images(3))
    assert evaluate_bag.main(words) == 1
    assert (
        "metrics.json is an earlier run's with another source (sha256" in capsys.readouterr().err
    )
    assert len((out / "bags" / "a" / "emotions.csv").read_text().splitlines()) == 1 + 2


def test_where_all_fail_nothing_is_written(tmp_path, capsys):
    words = [str(tmp_path / "x"), str(tmp_path / "y"), "--out", str(tmp_path / "out")]
    assert evaluate_bag.main([*words, "--quiet"]) == 2
    assert "none of the 2 bags could be evaluated" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_bags_are_found_in_folders_and_named_apart(tmp_path):
    def make(*names):
        for name in names:
            (tmp_path / name).mkdir(parents=True)
            (tmp_path / name / "a.mcap").write_bytes(b"\x89MCAP0\r\n")

    make("day/run_10", "day/run_2", "north/run", "south/run")
    (tmp_path / "day" / "readme.txt").touch()
    (tmp_path / "day" / "run_2" / "inside").mkdir()
    named = named_sources(
        [str(tmp_path / n) for n in ("day", "north/run", "south/run", "day/run_2")]
    )
    assert list(named) == ["run_2", "run_10", "north/run", "south/run"]
    assert named["south/run"] == str(tmp_path / "south" / "run")


def test_addresses_are_read_from_copies_that_are_removed(tmp_path, monkeypatch, capsys):
    pytest.importorskip("fsspec", reason="fsspec is missing: no address was read")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        write_bag(tmp_path / "share" / name, small_images(2))
    assert evaluate_bag.main([f"file://{tmp_path}/share/a", "--quiet"]) == 0
    assert "only local bags can be read" in capsys.readouterr().err
    assert (tmp_path / "a_report" / "report.html").exists()
    assert evaluate_bag.main([f"file://{tmp_path}/share", "--quiet"]) == 0
    assert (tmp_path / "share_report" / "bags" / "b" / "report.html").exists()
    assert evaluate_bag.main([f"file://{tmp_path}/nowhere", "--quiet"]) == 2
    assert "nowhere: no such bag" in capsys.readouterr().err
    assert evaluate_bag.main(["odd://x/y", "--quiet"]) == 2
    assert "odd://x/y cannot be read: Protocol not known: odd" in capsys.readouterr().err
    assert list((tmp_path / "tmp").iterdir()) == []


def test_without_dask_it_says_what_to_install(bags, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert evaluate_bag.main(arguments(bags, tmp_path / "o", "--scheduler", "tcp://[::1]:1")) == 2
    assert "--scheduler needs Dask" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.fixture
def cluster():
    """A scheduler and two workers, in processes of their own."""
    distributed = pytest.importorskip(
        "distributed", reason="Dask is missing (pip install distributed): no cluster was used"
    )
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as started:
        yield started


def test_a_cluster_gives_the_same_results_though_a_worker_dies(cluster, bags, serial, tmp_path):
    out = tmp_path / "out"
    process = start(arguments(bags, out, "--scheduler", cluster.scheduler_address))
    wait_for(lambda: list(out.rglob("report.html")), process)
    worker = next(iter(cluster.workers.values()))
    os.kill(worker.pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    assert_equal(out, serial)
