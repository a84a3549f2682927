# SPDX-License-Identifier: Apache-2.0
import io
import os

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.terminal import TerminalConfig, TerminalDevice
from ambient_light_driver.light_state import LightState

RED = LightState(LightColor(1.0, 0.0, 0.0, 1.0), "anger")
ALMOST_RED = LightState(LightColor(1.0, 0.0001, 0.0, 1.0), "anger")
DIM_RED = LightState(LightColor(1.0, 0.0, 0.0, 0.5), "anger")


@pytest.fixture
def terminal():
    """A device on a real pseudo-terminal, and a function that reads what it shows."""
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as stream:
        os.set_blocking(master, False)

        def read():
            try:
                return os.read(master, 65536).decode()
            except BlockingIOError:
                return ""

        device = TerminalDevice("terminal", TerminalConfig(width=3), stream)
        device.open()
        yield device, read
    os.close(master)


def test_a_terminal_shows_a_24_bit_swatch_and_the_label(terminal):
    device, read = terminal
    device.send(RED)
    assert read() == "\r\x1b[2K\x1b[48;2;255;0;0m   \x1b[0m #ff0000 anger"


def test_only_a_visible_change_is_drawn(terminal):
    device, read = terminal
    device.send(RED)
    read()
    device.send(ALMOST_RED)
    assert read() == ""
    device.send(DIM_RED)
    assert "#bc0000" in read()


def test_closing_leaves_the_line(terminal):
    device, read = terminal
    device.send(RED)
    read()
    device.close()
    assert read() == "\r\n"


def test_without_a_terminal_a_plain_line_is_written_for_each_label():
    stream = io.StringIO()
    device = TerminalDevice("terminal", TerminalConfig(), stream)
    device.open()
    for state in (RED, DIM_RED, LightState(RED.color, "fear")):
        device.send(state)
    device.close()
    assert stream.getvalue() == "lamp: anger #ff0000\nlamp: fear #ff0000\n"
