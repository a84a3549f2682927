# SPDX-License-Identifier: Apache-2.0
"""The SROS 2 policy allows each node exactly what it uses."""

import fnmatch
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fer_bringup.security import POLICY
from fer_bringup.standalone.launch_file import folder, processes

KINDS = {
    "publish": "get_publisher_names_and_types_by_node",
    "subscribe": "get_subscriber_names_and_types_by_node",
    "reply": "get_service_names_and_types_by_node",
    "request": "get_client_names_and_types_by_node",
}
# Used only sometimes: with use_sim_time, image_transport, an open page.
SOMETIMES = {
    "camera": {("subscribe", "/clock")},
    "fer_perception": {("subscribe", "/clock"), ("subscribe", "/camera/image_raw/compressed")},
    "ambient_light": {("subscribe", "/clock")},
    "dashboard": {("subscribe", "/clock"), ("subscribe", "/fer_perception/annotated")},
    "expression_server": {("subscribe", "/clock")},
}
# An action in a policy stands for these.
ACTION_SERVER = {
    ("publish", "feedback"),
    ("publish", "status"),
    ("reply", "cancel_goal"),
    ("reply", "get_result"),
    ("reply", "send_goal"),
}

Rights = set[tuple[str, str]]


def rights_in(policy: Path) -> dict[str, Rights]:
    """Return the rights of each enclave, such as ('publish', '/camera/image_raw')."""
    rights: dict[str, Rights] = defaultdict(set)
    root = ElementTree.parse(policy).getroot()
    assert (root.tag, root.get("version")) == ("policy", "0.2.0")
    for enclave in root.findall("enclaves/enclave"):
        for profile in enclave.findall("profiles/profile"):
            namespace, node = profile.get("ns", "").rstrip("/"), profile.get("node")
            for expressions in profile:
                for kind, answer in expressions.attrib.items():
                    assert (expressions.tag, kind) in {
                        ("topics", "publish"),
                        ("topics", "subscribe"),
                        ("services", "reply"),
                        ("services", "request"),
                        ("actions", "execute"),
                    }
                    assert answer == "ALLOW"
                    for name in (str(child.text) for child in expressions):
                        name = name.replace("~", f"{namespace}/{node}")
                        absolute = name if name.startswith("/") else f"{namespace}/{name}"
                        granted = rights[str(enclave.get("path"))]
                        if kind == "execute":
                            granted |= {(k, f"{absolute}/_action/{n}") for k, n in ACTION_SERVER}
                        else:
                            granted.add((kind, absolute))
    return rights


@pytest.fixture
def rights() -> dict[str, Rights]:
    return rights_in(folder() / POLICY)


def used_by(peer, name: str) -> Rights:
    """Return what a node uses according to the graph; empty if absent."""
    if name not in peer.node.get_node_names():
        return set()
    return {
        (kind, topic)
        for kind, method in KINDS.items()
        for topic, _ in getattr(peer.node, method)(name, "/")
    }


def test_every_node_has_its_enclave(rights):
    given = {
        "autostart": "managed",
        "aggregator": "true",
        "dashboard": "0",
        "actions": "true",
        "bridges": "ros4hri,vision_msgs",
    }
    nodes = processes("fer_light", **given)
    assert {f"/{node.name}" for node in nodes} == set(rights)


def test_the_rights_of_each_node_are_what_it_uses(rights, start_specs, peer):
    given = {"source": "portrait", "aggregator": "false", "dashboard": "0", "actions": "true"}
    nodes = start_specs(processes("fer_light", **given))
    for node in nodes:
        name = node.node.spec.name
        allowed = rights[f"/{name}"]
        peer.wait_until(
            lambda name=name, needed=allowed - SOMETIMES[name]: needed <= used_by(peer, name),
            f"{name} to use all of its rights",
            nodes=(node.node,),
        )
        assert used_by(peer, name) <= allowed


def test_the_rights_of_the_lifecycle_manager_are_what_it_uses(rights, start_node, peer):
    """It is observed while it waits for a missing node."""
    allowed = rights["/lifecycle_manager"] - {("subscribe", "/clock")}
    managed = ("fer_perception", "ambient_light")
    used: Rights = set()
    for name, other in (managed, managed[::-1]):
        node = start_node(
            "fer_bringup", "lifecycle_manager", "lifecycle_manager", arguments=(name,)
        )
        needed = {right for right in allowed if not right[1].startswith(f"/{other}/")}
        peer.wait_until(
            lambda needed=needed: needed <= used_by(peer, "lifecycle_manager"),
            "the lifecycle manager to use all of its rights",
            nodes=(node.node,),
        )
        used |= used_by(peer, "lifecycle_manager")
        assert node.stop() == 0
        peer.wait_until(lambda: not used_by(peer, "lifecycle_manager"), "the end of the manager")
    assert used == allowed


@pytest.mark.parametrize(("bridge", "messages"), [("ros4hri", "hri_msgs"), ("vision_msgs",) * 2])
def test_the_rights_of_a_bridge_are_what_it_uses(bridge, messages, rights, start_specs, peer):
    pytest.importorskip(messages, reason=f"{messages} is missing: its rights were not checked")
    given = {"bridges": bridge, "aggregator": "false", "source": "portrait", "light": "false"}
    nodes = start_specs(processes("fer_light", **given))
    [node] = [node.node for node in nodes if node.node.spec.name == bridge]
    # Images are read only to cut faces out of them.
    rare = {("subscribe", "/clock"), ("subscribe", "/camera/image_raw")}
    rare |= {("publish", f"/humans/faces/*/{name}") for name in ("cropped", "aligned")}

    def uses_all() -> bool:
        used = used_by(peer, bridge)
        return all(
            fnmatch.filter([t for k, t in used if k == kind], topic)
            for kind, topic in (rights[f"/{bridge}"] - rare)
        )

    peer.wait_until(uses_all, f"{bridge} to use all of its rights", nodes=(node,))
    for kind, topic in used_by(peer, bridge):
        allowed = [pattern for k, pattern in rights[f"/{bridge}"] if k == kind]
        assert any(fnmatch.fnmatchcase(topic, pattern) for pattern in allowed), topic
