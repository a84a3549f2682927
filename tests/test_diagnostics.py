# SPDX-License-Identifier: Apache-2.0
"""Diagnostics of a whole graph, and the aggregator's settings."""

import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from fer_bringup.standalone.launch_file import folder, processes


def analyzers() -> dict[str, list[str]]:
    """Return each analyzer's path and the texts that it matches."""
    text = (folder() / "config" / "diagnostics.yaml").read_text(encoding="utf-8")
    [parameters] = [node["ros__parameters"] for node in yaml.safe_load(text).values()]
    groups = [value for value in parameters.values() if isinstance(value, dict)]
    assert {group["type"] for group in groups} == {"diagnostic_aggregator/GenericAnalyzer"}
    return {group["path"]: group["contains"] for group in groups}


def test_each_part_of_a_graph_is_summed_up_in_one_place(start_specs, peer):
    heard = peer.collect(DiagnosticArray, "/diagnostics", 100)
    given = {"namespace": "robot1", "source": "portrait", "device": "terminal"}
    nodes = start_specs(processes("fer_light", aggregator="false", **given))

    def levels() -> dict[str, bytes]:
        return {status.name: status.level for array in heard for status in array.status}

    names = {
        *(f"robot1/fer_perception: {part}" for part in ("model", "frames", "latency")),
        *(f"robot1/ambient_light: {part}" for part in ("input", "output", "device terminal")),
    }
    peer.wait_until(
        lambda: (
            levels().keys() == names
            and set(levels().values()) <= {DiagnosticStatus.OK, DiagnosticStatus.WARN}
            and levels()["robot1/fer_perception: frames"] == DiagnosticStatus.OK
            and levels()["robot1/ambient_light: input"] == DiagnosticStatus.OK
        ),
        f"a healthy graph, with {names}",
        nodes=tuple(node.node for node in nodes),
    )
    found = {
        path: {name for name in names if any(text in name for text in texts)}
        for path, texts in analyzers().items()
    }
    assert found.keys() == {"Rate", "Latency", "Model", "Light"}
    assert all(found.values()), found
    assert sorted(name for group in found.values() for name in group) == sorted(names)
