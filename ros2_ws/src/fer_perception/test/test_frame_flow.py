# SPDX-License-Identifier: Apache-2.0
import gc
import math
import threading
import time
import weakref
from contextlib import suppress

import pytest

from fer_perception.runtime.fair_lock import FairLock
from fer_perception.runtime.frame_statistics import FrameStatistics
from fer_perception.runtime.latest_mailbox import LatestMailbox
from fer_perception.runtime.shared_parts import SharedParts


def test_mailbox_hands_over_the_newest_only():
    mailbox = LatestMailbox()
    assert not mailbox.put(1)
    assert mailbox.put(2)
    assert mailbox.take() == 2
    assert not mailbox.put(3)
    assert mailbox.take() == 3


def test_larger_mailbox_keeps_the_order_and_pushes_out_the_oldest():
    mailbox = LatestMailbox(capacity=2)
    assert [mailbox.put(value) for value in (1, 2, 3)] == [False, False, True]
    assert mailbox.waiting == 2
    assert [mailbox.take(), mailbox.take()] == [2, 3]
    assert mailbox.waiting == 0


class AnnouncedCondition(threading.Condition):
    """A condition that signals when a thread starts to wait."""

    def __init__(self):
        super().__init__()
        self.sleeps = threading.Semaphore(0)

    def wait(self, timeout=None):
        self.sleeps.release()
        return super().wait(timeout)


@pytest.fixture
def sleeper(monkeypatch):
    """A thread that sleeps in ``wait()`` of a mailbox: (mailbox, thread, what it returned)."""
    condition, returned = AnnouncedCondition(), []
    with monkeypatch.context() as patch:
        patch.setattr(threading, "Condition", lambda: condition)
        mailbox = LatestMailbox()
    thread = threading.Thread(target=lambda: returned.append(mailbox.wait()), daemon=True)
    thread.start()
    assert condition.sleeps.acquire(timeout=60.0)
    return mailbox, thread, returned


def test_a_thread_that_sleeps_is_woken_by_a_value(sleeper):
    mailbox, thread, returned = sleeper
    mailbox.put(1)
    thread.join(timeout=20.0)
    assert returned == [True] and mailbox.take() == 1


def test_a_thread_that_sleeps_is_woken_by_closing(sleeper):
    mailbox, thread, returned = sleeper
    mailbox.close()
    thread.join(timeout=20.0)
    assert returned == [False]


def test_an_empty_mailbox_hands_over_nothing_at_once():
    assert LatestMailbox().take() is None


def test_nothing_is_handed_over_after_closing():
    mailbox = LatestMailbox()
    mailbox.put(1)
    mailbox.close()
    assert mailbox.take() is None and not mailbox.wait()


def test_a_fair_lock_gives_each_thread_its_turn():
    lock, order = FairLock(), []

    def work(name):
        barrier.wait()
        for _ in range(20):
            with lock:
                order.append(name)
                time.sleep(0.001)  # the others request the lock in the meantime

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    # Once all wait, no thread gets the lock twice before each of the others had it.
    settled = order[8:-8]
    assert all(len({*settled[i : i + 4]}) == 4 for i in range(len(settled) - 4)), order


def test_a_fair_lock_is_held_by_one_thread_at_a_time_and_freed_by_errors():
    lock, inside, most = FairLock(), [0], [0]

    def work():
        for _ in range(200):
            with suppress(KeyError), lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1
                raise KeyError

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert most == [1] and not any(thread.is_alive() for thread in threads)


class Part:
    pass


def test_parts_are_shared_by_key_for_as_long_as_somebody_uses_them():
    parts = SharedParts()
    first = parts.get("a", Part)
    assert parts.get("a", Part) is first
    assert parts.get("b", Part) is not first
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None
    with pytest.raises(ValueError, match="refused"):
        parts.get("c", refuse)
    assert isinstance(parts.get("c", Part), Part)


def refuse():
    raise ValueError("refused")


def test_report_counts_and_forgets_what_is_old():
    statistics = FrameStatistics()
    before = statistics.report(0.0)
    assert before.silence_s == math.inf and math.isnan(before.latency_p95_s)
    for i in range(100):
        statistics.count_received(i / 10, replaced=i % 2 == 1)
        if i % 2 == 0:
            statistics.count_processed(i / 10 + 0.02, 0.02 if i < 90 else 0.3)
    statistics.count_rejected(10.0)
    statistics.count_damaged(9.5)
    statistics.count_nearly_black(9.6)
    report = statistics.report(10.0)
    assert (report.received, report.processed, report.dropped, report.rejected) == (100, 50, 50, 1)
    assert 4.5 <= report.rate_hz <= 5.5
    assert abs(report.latency_p50_s - 0.02) < 1e-9
    assert report.latency_p95_s > 0.02
    assert abs(report.silence_s - 0.1) < 1e-9
    assert (report.damaged, report.nearly_black) == (1, 1)
    assert 0.03 < report.rejected_share < 0.05
    assert report.damaged_share == report.nearly_black_share == report.rejected_share
    later = statistics.report(60.0)
    assert later.rate_hz == later.rejected_share == later.damaged_share == 0.0
    assert (later.rejected, later.damaged, later.nearly_black) == (1, 1, 1)
