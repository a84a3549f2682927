# SPDX-License-Identifier: Apache-2.0
from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.artnet import ArtnetConfig, ArtnetDevice, art_dmx
from ambient_light_driver.light_state import SWITCHED_OFF, LightState

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
