# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from fer_bringup import security
from fer_bringup.standalone.launch_file import names, read
from fer_bringup.standalone.processes import command
from launched import launched

# File names of 'ros2 security generate_artifacts'; here they are empty.
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


def nodes(**given):
    return launched("fer_light", aggregator="false", **given)


@pytest.fixture
def checked(monkeypatch) -> list[str]:
    """The checked enclaves, which need not exist."""
    enclaves: list[str] = []
    monkeypatch.setattr(security, "check", lambda keystore, asked: enclaves.extend(asked))
    return enclaves


def test_each_node_gets_the_enclave_of_its_own_name(checked):
    started = nodes(security_keystore="/keys", namespace="/robot1/")
    enclaves = [f"/robot1/{name}" for name in ("camera", "fer_perception", "ambient_light")]
    assert checked == enclaves
    for node, enclave in zip(started.values(), enclaves, strict=True):
        words = command(node)
        assert words[words.index("--enclave") + 1] == enclave
        assert words.index("--ros-args") < words.index("--enclave")


def test_without_a_keystore_there_is_no_security():
    assert not any("SECURITY" in name for name in nodes()["camera"].environment)
    assert "security_keystore" in read("fer_light").arguments
    assert {"cameras", "fer_light", "record", "replay"} == set(names())


def test_a_keystore_is_enforced(checked, monkeypatch):
    monkeypatch.setenv("HOME", "/home/robot")
    variables = nodes(security_keystore="~/keys")["camera"].environment
    assert variables["ROS_SECURITY_ENABLE"] == "true"
    assert variables["ROS_SECURITY_STRATEGY"] == "Enforce"
    assert variables["ROS_SECURITY_KEYSTORE"] == "/home/robot/keys"


def test_a_missing_enclave_is_named_with_the_command_that_makes_it(keystore):
    with pytest.raises(ValueError, match="no enclave /dashboard; make it with 'ros2 security"):
        nodes(security_keystore=str(keystore), dashboard="8035")


def test_nothing_starts_where_security_was_asked_for_and_cannot_be_had(keystore):
    """Every ROS 2 refuses empty certificates; one without security reports that."""
    with pytest.raises(ValueError, match="/camera cannot join: .+") as refused:
        nodes(security_keystore=str(keystore))
    assert "Traceback" not in str(refused.value)
    assert "\n" not in str(refused.value)
