# SPDX-License-Identifier: Apache-2.0
"""E1.31 against olad, a receiving socket, and the packets of the library ``sacn``."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.claims import overlaps_within
from ambient_light_driver.devices.device_worker import DeviceWorker
from ambient_light_driver.devices.light_device import DeviceUnavailableError
from ambient_light_driver.devices.network import UdpPeer
from ambient_light_driver.devices.sacn import COMPONENT_ID, SacnConfig, SacnDevice, SacnStream
from ambient_light_driver.devices.universe_sender import UniverseSender
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 1.0), "happiness")
CHANNELS = bytes(range(256)) * 2


@pytest.fixture
def olad(start_olad):
    return start_olad("e131")


def device(name="sacn", universe=3, **options):
    options = {"destination": "127.0.0.1", "universe": universe} | options
    return SacnDevice(name, SacnConfig(**options))


def send_until(lamp, state, condition, wait_until):
    def send_and_look():
        lamp.send(state)
        return condition()

    wait_until(send_and_look, f"{state} at olad")


def test_olad_receives_the_channels_at_their_addresses(olad, wait_until):
    olad.listen(3)
    lamp = device(start_address=5, channel_order="DRGB", fixture_count=2)
    lamp.open()
    expected = [0] * 4 + [255, 255, 128, 0] * 2
    send_until(lamp, ORANGE, lambda: olad.channels(3)[:12] == expected, wait_until)
    assert not any(olad.channels(3)[12:])
    send_until(lamp, SWITCHED_OFF, lambda: not any(olad.channels(3)), wait_until)
    lamp.close()


def test_two_devices_in_one_universe_leave_each_other_alone(olad, wait_until):
    """Each one's packets held zeros for the other, so that both flashed."""
    olad.listen(4)
    first = device("par1", 4, start_address=1)
    second = device("par2", 4, start_address=10)
    workers = [DeviceWorker(lamp, lambda name, status: None) for lamp in (first, second)]
    for worker in workers:
        worker.start()
        worker.post(ORANGE)
    lit = [255, 128, 0]
    wait_until(lambda: olad.channels(4)[:3] == lit == olad.channels(4)[9:12], "both at olad")
    seen = []
    for i in range(100):
        workers[i % 2].post(ORANGE if i % 4 < 2 else LightState(ORANGE.color, f"{i}"))
        channels = olad.channels(4)
        seen.append((channels[:3], channels[9:12]))
    assert all(pair == (lit, lit) for pair in seen)
    for worker in workers:
        worker.request_stop(SWITCHED_OFF)
        assert worker.join(10.0)


def test_a_rig_over_three_universes_is_one_device(olad, wait_until):
    for universe in (5, 6, 7):
        olad.listen(universe)
    lamp = device("rig", 5, fixtures=("1:RGBW*20", "6/3:RGB", "7/1:I", "7/509:RGBW"))
    lamp.open()

    def all_lit():
        return (
            olad.channels(5)[:80] == [255, 128, 0, 0] * 20
            and olad.channels(6)[:6] == [0, 0, 255, 128, 0, 0]
            and olad.channels(7)[508:] == [255, 128, 0, 0]
        )

    send_until(lamp, ORANGE, all_lit, wait_until)
    lamp.close()


def test_a_device_that_returns_leaves_the_other_lit(monkeypatch):
    sent = []
    sender = UniverseSender()
    stream = SacnStream(UdpPeer("127.0.0.1", 9), 1, "test", 100)
    monkeypatch.setattr(
        SacnStream, "packet", lambda self, channels, n: sent.append(channels) or b""
    )
    sender.join("par1", stream, {1: 3})
    sender.join("par2", stream, {4: 6})
    sender.send("par1", {1: b"abc"})
    sender.send("par2", {4: b"def"})
    sender.leave("par1")
    sender.leave("par2")
    sender.join("par2", stream, {4: 6})
    sender.send("par2", {4: b"xyz"})
    assert sent[-1][:6] == b"abcxyz"
    sender.leave("par2")


writes = st.tuples(st.integers(0, 3), st.booleans(), st.binary(min_size=3, max_size=3))


@given(st.lists(writes, max_size=30))
def test_every_packet_holds_what_each_device_has_delivered_last(events):
    """For all writers, including returning and failing ones."""
    sent, broken = [], False

    class Recorded(SacnStream):
        def packet(self, channels, sequence):
            if broken:
                raise OSError("no network")
            sent.append(channels)
            return b""

    sender = UniverseSender()
    stream = Recorded(UdpPeer("127.0.0.1", 9), 1, "test", 100)
    expected = bytearray(512)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ambient_light_driver.devices.universe_sender.MAX_RATE_HZ", 1e6)
        for device_index, broken, levels in events:
            address = 1 + 10 * device_index
            sender.leave(f"par{device_index}")
            sender.join(f"par{device_index}", stream, {address: address + 2})
            if broken:
                with pytest.raises(OSError, match="no network"):
                    sender.send(f"par{device_index}", {address: levels})
            else:
                sender.send(f"par{device_index}", {address: levels})
                expected[address - 1 : address + 2] = levels
                assert sent[-1] == expected
        broken = False
        for device_index in range(4):
            sender.leave(f"par{device_index}")


def test_a_universe_is_sent_at_most_44_times_a_second_however_many_devices_write(monkeypatch):
    times, done = [], []
    sender = UniverseSender()
    stream = SacnStream(UdpPeer("127.0.0.1", 9), 1, "test", 100)
    monkeypatch.setattr(
        SacnStream, "packet", lambda self, channels, n: times.append(time.monotonic()) or b""
    )

    def write(address):
        for i in range(20):
            sender.send(f"par{address}", {address: bytes([i])})
        done.append(address)

    threads = [threading.Thread(target=write, args=(address,)) for address in range(1, 6)]
    for address in range(1, 6):
        sender.join(f"par{address}", stream, {address: address})
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert len(done) == 5
    assert min(gaps) >= 1.0 / 44.0 - 1e-3
    assert len(times) < 100  # a packet holds what several devices have written


def test_what_could_not_be_sent_is_not_in_a_later_packet(monkeypatch):
    sent, fail = [], []

    def packet(self, channels, sequence):
        if fail:
            raise OSError("no network")
        sent.append(channels)
        return b""

    monkeypatch.setattr(SacnStream, "packet", packet)
    sender = UniverseSender()
    stream = SacnStream(UdpPeer("127.0.0.1", 9), 1, "test", 100)
    sender.join("par1", stream, {1: 1})
    sender.join("par2", stream, {2: 2})
    sender.send("par1", {1: b"\1"})
    fail.append(True)
    with pytest.raises(OSError, match="no network"):
        sender.send("par1", {1: b"\xff"})
    fail.clear()
    sender.send("par2", {2: b"\2"})
    assert sent[-1][:2] == b"\1\2"


def test_the_same_channel_twice_is_refused_with_both_names():
    first = device("par1", 8, fixtures=("1:RGB", "20:RGB"))
    second = device("par2", 8, start_address=22)
    assert overlaps_within({d.name: d.config.claims() for d in (first, second)}).keys() == {"par2"}
    first.open()
    with pytest.raises(DeviceUnavailableError, match="devices par1 and par2 both .* channel 22"):
        second.open()
    second.close()
    first.send(ORANGE)
    first.close()
    second.open()
    second.close()


def test_two_names_of_one_receiver_share_the_sender(monkeypatch):
    """Else two streams of one universe would darken each other's fixtures in turn."""
    sent = []

    def packet(self, channels, sequence):
        sent.append(channels)
        return b""

    monkeypatch.setattr(SacnStream, "packet", packet)
    first = device("par1", 11, channel_order="dimmer", destination="127.0.0.1")
    second = device("par2", 11, channel_order="dimmer", start_address=2, destination="127.1")
    for lamp in (first, second):
        lamp.open()
        lamp.send(ORANGE)
    first.close()
    second.close()
    assert sent[-1][:2] == 2 * sent[0][:1] != bytes(2)


def test_fixtures_side_by_side_are_claimed_as_one_range():
    config = SacnConfig(destination="lamps", fixtures=("2/9:RGB", "1/1:RGBW*20", "2/1:RGB"))
    assert [str(claim) for claim in config.claims()] == [
        "sacn://lamps/2 channels 1 to 3",
        "sacn://lamps/2 channels 9 to 11",
        "sacn://lamps/1 channels 1 to 80",
    ]
    assert all(claim.whole_frames for claim in config.claims())


def test_one_universe_cannot_be_sent_in_two_ways():
    first = device("par1", 9)
    second = device("par2", 9, start_address=10, priority=200)
    first.open()
    with pytest.raises(DeviceUnavailableError, match="par1 and par2 share universe 9"):
        second.open()
    first.close()


@pytest.mark.parametrize("terminated", [False, True])
def test_packets_equal_those_of_the_library(terminated):
    data_packet = pytest.importorskip(
        "sacn.messages.data_packet", reason="no Python module sacn: packets were not compared"
    )
    expected = data_packet.DataPacket(
        cid=tuple(COMPONENT_ID),
        sourceName="Lampe ü",
        universe=1234,
        dmxData=tuple(CHANNELS),
        sequence=7,
        priority=150,
    )
    expected.option_StreamTerminated = terminated
    stream = SacnStream(UdpPeer("127.0.0.1", 9), 1234, "Lampe ü", 150)
    ours = stream.last_packets(CHANNELS, 7 - 2)[2] if terminated else stream.packet(CHANNELS, 263)
    assert ours == bytes(expected.getBytes())


def test_multicast_goes_to_the_group_of_the_universe():
    config = SacnConfig(universe=258)
    assert SacnDevice("sacn", config).stream(258, config).peer.host == "239.255.1.2"


def test_an_unreachable_network_is_an_error_and_not_a_crash():
    lamp = device("sacn", 10, bind_address="203.0.113.77")
    with pytest.raises(OSError, match="assign"):
        lamp.open()
    lamp.close()


def test_a_host_without_an_address_is_named():
    lamp = device("sacn", 10, destination="no-such-host.invalid")
    with pytest.raises(OSError, match=r"no address for host 'no-such-host\.invalid'"):
        lamp.open()
    lamp.close()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fixtures": ["2/1:RGB", "2/3:RGB"]}, r"fixture at 3 overlaps .* \(universe 2\)"),
        ({"fixtures": ["64000/1:RGB"]}, "fixtures: expected universes 1 to 63999, got 64000"),
        ({"fixtures": ["1/1:RGB*200"]}, r"fixtures end at channel 513.* \(universe 1\)"),
        ({"source_name": "ü" * 32}, "source_name: expected at most 63 bytes"),
        ({"max_rate_hz": 45.0}, "max_rate_hz: expected a .* 44"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_key(options, text):
    with pytest.raises(ConfigError, match=text):
        build_config(SacnConfig, options, "device.rig")
