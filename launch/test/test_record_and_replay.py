# SPDX-License-Identifier: Apache-2.0
import pytest

from fer_bringup import bags
from fer_bringup.standalone.processes import CommandSpec, command
from launched import launched, parameters_of
from replay_bags import small_images, write_bag

WITHOUT_IMAGES = {
    "fer_perception/emotions",
    "fer_perception/emotion",
    "fer_perception/events",
    "ambient_light/color",
    "/diagnostics",
}


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp("bags") / "bag", small_images(3), encoding="jpeg")


@pytest.fixture(params=[True, False], ids=["with ros2 bag", "without"])
def has_ros2_bag(request, monkeypatch):
    monkeypatch.setattr(bags, "has_ros2_bag", lambda: request.param)
    return request.param


def test_all_nodes_of_a_replay_take_their_time_from_the_bag(bag, has_ros2_bag):
    started = launched("replay", bag=str(bag), rate="2", loop="true")
    assert set(started) == {"fer_perception", "ambient_light", "score", "player"}
    for name in ("fer_perception", "ambient_light", "score"):
        assert parameters_of(started[name])["use_sim_time"] is True
    perception = started["fer_perception"]
    assert parameters_of(perception)["image_transport"] == "compressed"
    # The bag's topic holds compressed images, though its name is raw: the first rule wins.
    first = next(topic for own, topic in perception.remappings if own == "image/compressed")
    assert first == "/camera/image_raw"
    player = started["player"]
    if has_ros2_bag:
        words = command(player)
        assert words[:4] == ["ros2", "bag", "play", str(bag)]
        assert words[words.index("--rate") + 1] == "2"
        assert {"--clock", "--loop", "--delay"} <= set(words)
        assert words[words.index("--topics") + 1] == "/camera/image_raw"
        assert "--loop" not in command(launched("replay", bag=str(bag))["player"])
    else:
        parameters = parameters_of(player)
        assert (parameters["rate"], parameters["loop"]) == (2.0, True)
        assert parameters["topics"] == ["/camera/image_raw"]


def test_a_namespace_holds_for_all_but_the_bags_topics(bag):
    started = launched("replay", bag=str(bag), namespace="robot1")
    assert started["score"].namespace == started["fer_perception"].namespace == "/robot1"
    assert dict(started["score"].remappings)["emotions"] == "fer_perception/emotions"


def recorded(spec):
    if isinstance(spec, CommandSpec):
        return {word.removeprefix("/robot1/") for word in spec.words if "/" in word}
    return set(parameters_of(spec)["topics"])


def test_images_are_recorded_only_when_asked_for(has_ros2_bag):
    default = recorded(launched("record", namespace="robot1")["recorder"])
    assert default == WITHOUT_IMAGES
    asked = recorded(launched("record", namespace="robot1", images="true")["recorder"])
    assert asked - default == {
        "camera/image_raw",
        "camera/image_raw/compressed",
        "camera/camera_info",
    }


def test_a_recording_is_not_overwritten(tmp_path):
    with pytest.raises(ValueError, match="exists, choose another name"):
        launched("record", out=str(tmp_path))


def test_bags_that_differ_in_a_suffix_get_reports_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("run.1", "run.2"):
        bag = write_bag(tmp_path / name, small_images(2))
        assert bags.report_folder(bag, "", False) == tmp_path / f"{name}_live"


def test_an_earlier_report_is_replaced_only_when_asked_for(bag, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "metrics.json").touch()
    with pytest.raises(ValueError, match="is an earlier run's: .*overwrite:=true"):
        launched("replay", bag=str(bag), out=str(tmp_path / "out"))
    assert "score" in launched("replay", bag=str(bag), out=str(tmp_path / "out"), overwrite="true")
