# SPDX-License-Identifier: Apache-2.0
import socket

import pytest

from ambient_light_driver.devices.claims import (
    Claim,
    local_resource,
    network_resource,
    overlaps_within,
)

UNIVERSE = "sacn://lamp/1"


def par(first, last):
    return Claim(UNIVERSE, first, last, whole_frames=True)


def test_ranges_overlap_only_where_they_share_a_channel_of_one_resource():
    assert par(1, 3).overlaps(par(3, 5))
    assert par(3, 5).overlaps(par(1, 3))
    assert not par(1, 3).overlaps(par(4, 5))
    assert par(4, 4).overlaps(Claim(UNIVERSE))
    assert not par(1, 3).overlaps(Claim("sacn://lamp/2", 1, 3))


def test_nodes_exclude_each_other_from_a_resource_that_is_sent_as_a_whole():
    assert par(1, 3).excludes(par(4, 5))
    segment = Claim("wled://lamp", 0, 0)
    assert not segment.excludes(Claim("wled://lamp", 1, 1))
    assert segment.excludes(Claim("wled://lamp", whole_frames=True))


def test_the_later_of_two_devices_on_one_channel_is_refused_with_both_names():
    reasons = overlaps_within(
        {"par1": (par(1, 3),), "par2": (par(10, 12),), "par3": (par(3, 5), par(12, 14))}
    )
    assert list(reasons) == ["par3"]
    assert "par3: drives" in reasons["par3"] and "par1 drives" in reasons["par3"]
    assert "sacn://lamp/1 channels 3 to 5" in reasons["par3"]


def test_a_refused_device_refuses_no_other():
    reasons = overlaps_within({"a": (par(1, 3),), "b": (par(3, 6),), "c": (par(5, 8),)})
    assert list(reasons) == ["b"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_a_loopback_address_is_another_lamp_on_each_machine(host):
    assert network_resource("artnet", host, 0) == f"artnet://{socket.gethostname()}/0"


def test_hosts_are_compared_without_case():
    assert network_resource("wled", "Lamp.local.") == network_resource("wled", "lamp.local")


def test_a_link_to_a_device_file_is_the_same_lamp(tmp_path):
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyUSB0")
    links = {local_resource("serial", str(tmp_path / name)) for name in ("ttyUSB0", "by-id")}
    assert len(links) == 1
