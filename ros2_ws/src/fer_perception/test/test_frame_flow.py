# SPDX-License-Identifier: Apache-2.0
import math
import threading

from fer_perception.frame_statistics import FrameStatistics
from fer_perception.latest_mailbox import LatestMailbox


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


def test_closing_wakes_a_waiting_taker():
    mailbox = LatestMailbox()
    taken = []
    thread = threading.Thread(target=lambda: taken.append(mailbox.take()))
    thread.start()
    mailbox.close()
    thread.join(timeout=10)
    assert not thread.is_alive() and taken == [None]


def test_nothing_is_handed_over_after_closing():
    mailbox = LatestMailbox()
    mailbox.put(1)
    mailbox.close()
    assert mailbox.take() is None


def test_report_counts_and_forgets_what_is_old():
    statistics = FrameStatistics()
    before = statistics.report(0.0)
    assert before.silence_s == math.inf and math.isnan(before.latency_p95_s)
    for i in range(100):
        statistics.count_received(i / 10, replaced=i % 2 == 1)
        if i % 2 == 0:
            statistics.count_processed(i / 10 + 0.02, 0.02 if i < 90 else 0.3)
    statistics.count_rejected()
    report = statistics.report(10.0)
    assert (report.received, report.processed, report.dropped, report.rejected) == (100, 50, 50, 1)
    assert 4.5 <= report.rate_hz <= 5.5
    assert abs(report.latency_p50_s - 0.02) < 1e-9
    assert report.latency_p95_s > 0.02
    assert abs(report.silence_s - 0.1) < 1e-9
    assert statistics.report(60.0).rate_hz == 0.0
