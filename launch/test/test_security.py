# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from fer_bringup import security
from fer_bringup.graph import NodeSpec, environment, fer_light
from fer_bringup.graphs import GRAPHS
from fer_bringup.processes import command

# As 'ros2 security generate_artifacts' names them; here they are empty.
FILES = (
    "cert.pem",
    "governance.p7s",
    "identity_ca.cert.pem",
    "key.pem",
    "permissions.p7s",
    "permissions_ca.cert.pem",
)


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    for name in ("camera", "fer_perception", "ambient_light"):
        folder = tmp_path / "enclaves" / name
        folder.mkdir(parents=True)
        for file in FILES:
            (folder / file).touch()
    return tmp_path


def nodes(**given: str) -> dict[str, NodeSpec]:
    values = fer_light().values({"aggregator": "false"} | given)
    return {node.name: node for node in fer_light().nodes(values)}


def test_each_node_gets_the_enclave_of_its_own_name(monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(security, "check", lambda keystore, enclaves: asked.extend(enclaves))
    started = nodes(security_keystore="/keys", namespace="/robot1/")
    expected = {f"/robot1/{name}" for name in ("camera", "fer_perception", "ambient_light")}
    assert {node.enclave for node in started.values()} == expected == set(asked)
    words = command(started["camera"])
    assert words[words.index("--enclave") + 1] == "/robot1/camera"
    assert words.index("--ros-args") < words.index("--enclave")


def test_without_a_keystore_there_is_no_security():
    assert "--enclave" not in command(nodes()["camera"])
    for make in GRAPHS.values():
        assert not any("SECURITY" in name for name in environment(make().values({})))


def test_a_keystore_is_enforced(monkeypatch):
    monkeypatch.setenv("HOME", "/home/robot")
    variables = environment(fer_light().values({"security_keystore": "~/keys"}))
    assert variables["ROS_SECURITY_ENABLE"] == "true"
    assert variables["ROS_SECURITY_STRATEGY"] == "Enforce"
    assert variables["ROS_SECURITY_KEYSTORE"] == "/home/robot/keys"


def test_a_missing_enclave_is_named_with_the_command_that_makes_it(keystore):
    with pytest.raises(ValueError, match="no enclave /dashboard; make it with 'ros2 security"):
        nodes(security_keystore=str(keystore), dashboard="8035")


def test_nothing_starts_where_security_was_asked_for_and_cannot_be_had(keystore):
    """Empty certificates do for no ROS 2; one that is built without security says so."""
    with pytest.raises(ValueError, match="/camera cannot join: .+") as refused:
        nodes(security_keystore=str(keystore))
    assert "Traceback" not in str(refused.value)
    assert "\n" not in str(refused.value)
