# SPDX-License-Identifier: Apache-2.0
"""Passing the newest frames between threads, despite failures."""

import threading

import pytest

from fer_perception.runtime.frame_worker import FrameWorker


class Recorder:
    """The two ends of a worker."""

    def __init__(self, turns=None):
        self.processed, self.published, self.errors = [], [], []
        self.gate = threading.Event()
        self.gate.set()
        self.news = threading.Semaphore(0)
        self.worker = FrameWorker(
            self.process, self.publish, self.on_error, turns or threading.Lock()
        )

    def process(self, received):
        self.processed.append(received.frame)
        self.news.release()
        self.gate.wait(60.0)
        if received.frame == "bad":
            raise ValueError("bad frame")
        return None if received.frame == "nothing" else received.frame.upper()

    def publish(self, received, result):
        self.published.append((received.frame, result))
        self.news.release()

    def on_error(self, error):
        self.errors.append(str(error))
        self.news.release()

    def wait(self, count):
        for _ in range(count):
            assert self.news.acquire(timeout=60.0)


@pytest.fixture
def recorder():
    recorder = Recorder()
    recorder.worker.start()
    yield recorder
    recorder.gate.set()
    recorder.worker.stop()


def test_while_one_frame_is_processed_only_the_newest_two_wait(recorder):
    recorder.gate.clear()
    recorder.worker.receive("a")
    recorder.wait(1)
    for frame in "bcde":
        recorder.worker.receive(frame)
    recorder.gate.set()
    recorder.wait(3)  # published a, processed and published the newest
    report = recorder.worker.statistics.report(0.0)
    assert recorder.published[0] == ("a", "A")
    assert report.received == 5 and report.dropped >= 2
    assert not {"b", "c"} & set(recorder.processed)


def test_a_frame_that_fails_is_counted_and_the_next_one_is_processed(recorder):
    recorder.worker.receive("bad")
    recorder.wait(2)
    recorder.worker.receive("good")
    recorder.wait(2)
    assert recorder.errors == ["bad frame"] and recorder.published == [("good", "GOOD")]
    assert recorder.worker.statistics.report(0.0).rejected == 1


def test_a_frame_without_a_result_is_not_published(recorder):
    recorder.worker.receive("nothing")
    recorder.wait(1)
    recorder.worker.receive("a")
    recorder.wait(2)
    assert recorder.published == [("a", "A")]


def test_a_frame_is_chosen_when_its_turn_has_come():
    turns = threading.Lock()
    recorder = Recorder(turns)
    recorder.worker.start()
    with turns:
        for frame in "abcd":
            recorder.worker.receive(frame)
    recorder.wait(2)
    recorder.worker.stop()
    assert "a" not in recorder.processed and "b" not in recorder.processed


def test_a_stopped_worker_takes_no_frame_and_can_start_again():
    recorder = Recorder()
    recorder.worker.receive("early")
    recorder.worker.start()
    recorder.worker.stop()
    recorder.worker.receive("late")
    recorder.worker.stop()
    recorder.worker.start()
    recorder.worker.receive("a")
    recorder.wait(2)
    recorder.worker.stop()
    assert recorder.processed == ["a"]
    assert recorder.worker.statistics.report(0.0).received == 1


def test_frames_beyond_the_rate_are_passed_over(recorder):
    recorder.worker.rate_hz = 0.001
    for frame in "abc":
        recorder.worker.receive(frame)
    recorder.wait(2)
    assert recorder.worker.statistics.report(0.0).passed_over >= 1
    assert recorder.published[0] == ("a", "A")
