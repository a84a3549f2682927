# SPDX-License-Identifier: Apache-2.0
import socket

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.artnet import PORT, ArtnetConfig, ArtnetDevice, art_dmx
from ambient_light_driver.devices.network import UdpPeer
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 1.0), "happiness")


def test_a_packet_is_laid_out_as_the_specification_says():
    packet = art_dmx(b"\x01\x02", port_address=0x1234, sequence=7)
    assert packet == b"Art-Net\x00\x00\x50\x00\x0e\x07\x00\x34\x12\x00\x02\x01\x02"


def test_olad_receives_the_channels(start_olad, wait_until):
    olad = start_olad("artnet", "ip = 127.0.0.1\nuse_loopback = true\n")
    olad.listen(3)
    lamp = ArtnetDevice("artnet", ArtnetConfig(universe=3, start_address=2, channel_order="RGBD"))
    lamp.open()

    def shows(state, channels):
        lamp.send(state)
        return olad.channels(3)[:6] == channels

    wait_until(lambda: shows(ORANGE, [0, 255, 128, 0, 255, 0]), "orange at olad")
    wait_until(lambda: shows(SWITCHED_OFF, [0] * 6), "darkness at olad")
    lamp.close()


def test_a_broadcast_address_is_allowed():
    """The system refuses it with 'Permission denied' unless the socket asks for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.bind(("", PORT))
        receiver.settimeout(10.0)
        lamp = ArtnetDevice("artnet", ArtnetConfig(destination="127.255.255.255", universe=77))
        lamp.open()
        lamp.send(ORANGE)
        while True:  # others on this machine may send Art-Net, too
            packet = receiver.recv(2048)
            if packet[14:16] == b"\x4d\x00":
                break
        lamp.close()
    assert packet[:8] == b"Art-Net\0"
    assert list(packet[18:21]) == [255, 128, 0]


@pytest.mark.parametrize(("host", "family"), [("::1", socket.AF_INET6), ("localhost", None)])
def test_names_and_ipv6_are_addresses_too(host, family):
    try:
        receiver = socket.socket(family or socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind((host, 0))
    except OSError:
        pytest.skip(f"this machine has no {host}: sending there was not tested")
    with receiver:
        receiver.settimeout(10.0)
        sender, address = UdpPeer(host, receiver.getsockname()[1]).open()
        with sender:
            if family is None and sender.family != receiver.family:
                pytest.skip("localhost is another family here: sending there was not tested")
            sender.sendto(b"light", address)
            assert receiver.recv(16) == b"light"


def test_an_empty_destination_is_refused():
    with pytest.raises(ConfigError, match=r"device\.par\.destination: expected the Art-Net"):
        build_config(ArtnetConfig, {"destination": ""}, "device.par")
