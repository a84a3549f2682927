# SPDX-License-Identifier: Apache-2.0
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.devices.claim_ledger import (
    CONTEST_S,
    DISCOVERY_S,
    LEASE_S,
    MAX_PEERS,
    ClaimLedger,
    DeviceClaim,
    PeerClaims,
    new_instance,
)
from ambient_light_driver.devices.claims import Claim

LAMP = {"lamp": (Claim("wled://lamp"),)}
LATER_S = DISCOVERY_S + CONTEST_S + 1.0


def peer(instance, *, held, node="/other/ambient_light", claim=LAMP["lamp"][0]):
    return PeerClaims(node, instance, (DeviceClaim("strip", claim, held),))


def test_instances_sort_by_time():
    instances = [new_instance() for _ in range(100)]
    assert instances == sorted(instances)
    assert len(set(instances)) == 100


def test_a_lamp_without_claims_is_driven_at_once():
    assert ClaimLedger("b", 0.0).decide({"terminal": ()}, 0.0) == {}


def test_a_lamp_is_taken_after_others_had_time_to_object():
    ledger = ClaimLedger("b", 0.0)
    assert ledger.decide(LAMP, 0.0) == {"lamp": ""}
    assert not ledger.own_claims()[0].held
    assert ledger.decide(LAMP, DISCOVERY_S - 0.01)
    assert not ledger.decide(LAMP, DISCOVERY_S)
    assert ledger.own_claims()[0].held


def test_a_claim_made_late_is_announced_before_it_is_held():
    ledger = ClaimLedger("b", 0.0)
    assert ledger.decide(LAMP, LATER_S)
    assert not ledger.own_claims()[0].held
    assert not ledger.decide(LAMP, LATER_S + CONTEST_S)


def test_a_lamp_that_another_node_drives_is_refused_with_both_names():
    ledger = ClaimLedger("a", 0.0)
    ledger.hear(peer("b", held=True), 1.5)
    reason = ledger.decide(LAMP, 2.0)["lamp"]
    for part in ("lamp: ", "strip", "/other/ambient_light", "wled://lamp"):
        assert part in reason


def test_a_lamp_that_is_driven_stays_where_it_is():
    ledger = ClaimLedger("b", 0.0)
    ledger.decide(LAMP, 0.0)
    assert not ledger.decide(LAMP, DISCOVERY_S)
    ledger.hear(peer("a", held=False), DISCOVERY_S)
    assert not ledger.decide(LAMP, DISCOVERY_S)


def test_a_lamp_of_a_node_that_ended_or_died_is_taken_over():
    for ends in (True, False):
        ledger = ClaimLedger("b", 0.0)
        ledger.hear(peer("a", held=True), 0.0)
        assert ledger.decide(LAMP, LEASE_S - 2.0 * CONTEST_S)
        assert "driven by" in ledger.decide(LAMP, LEASE_S - 0.1)["lamp"]
        if ends:
            ledger.hear(PeerClaims("/other", "a", ()), LEASE_S - 0.1)
            assert not ledger.decide(LAMP, LEASE_S - 0.05)
        else:
            assert not ledger.decide(LAMP, LEASE_S + 0.1)


def test_own_messages_that_come_back_are_ignored():
    ledger = ClaimLedger("b", 0.0)
    ledger.hear(peer("b", held=True), 0.0)
    ledger.decide(LAMP, 0.0)
    assert not ledger.decide(LAMP, DISCOVERY_S)


def test_ever_new_peers_do_not_take_ever_more_memory():
    ledger = ClaimLedger("b", 0.0)
    for number in range(MAX_PEERS):
        ledger.hear(peer(f"a{number}", held=True), 0.0)
    tracemalloc.start()
    try:
        for number in range(10 * MAX_PEERS):
            ledger.hear(peer(f"c{number}", held=True), 0.0)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < MAX_PEERS * 2000


class Network:
    """Ledgers that hear each other when a message gets through."""

    def __init__(self, count):
        self.now_s = 0.0
        self.ledgers = [ClaimLedger(str(number), 0.0) for number in range(count)]

    def exchange(self, wants, heard):
        drivers = []
        for number, ledger in enumerate(self.ledgers):
            wanted = LAMP if number in wants else {}
            if wanted and not ledger.decide(wanted, self.now_s):
                drivers.append(number)
            elif not wanted:
                ledger.decide({}, self.now_s)
            if number in heard:
                message = PeerClaims(f"/n{number}", str(number), ledger.own_claims())
                for other in self.ledgers:
                    other.hear(message, self.now_s)
        return drivers


numbers = st.sets(st.integers(0, 3))


@given(st.lists(st.tuples(numbers, numbers), max_size=40))
def test_whatever_was_lost_one_node_drives_the_lamp_once_all_are_heard(history):
    network = Network(4)
    for wants, heard in history:
        network.exchange(wants, heard)
        network.now_s += 0.3
    everyone = {0, 1, 2, 3}
    for _ in range(12):
        drivers = network.exchange(everyone, everyone)
        network.now_s += 0.3
    assert len(drivers) == 1
    assert network.exchange(everyone, everyone) == drivers


@given(st.lists(numbers, max_size=60))
def test_two_nodes_that_hear_each_other_never_drive_one_lamp_together(history):
    network = Network(4)
    for wants in history:
        drivers = network.exchange(wants, {0, 1, 2, 3})
        assert len(drivers) <= 1
        network.now_s += 0.1
