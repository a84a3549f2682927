# SPDX-License-Identifier: Apache-2.0
from torch import nn

from fer_training.figures.cost import count_multiply_adds, count_weights, measure_speed
from fer_training.networks import create_network


def test_costs_of_a_network_counted_by_hand():
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 48**2, 7))
    assert count_multiply_adds(network) == 48**2 * 4 * 9 + 4 * 48**2 * 7
    assert count_weights(network) == 4 * 9 + 4 + 7 * (4 * 48**2 + 1)


def test_compact_stays_small():
    network = create_network("compact", 7)
    assert count_multiply_adds(network) <= 60e6 and count_weights(network) <= 1.5e6


def test_speed_is_that_of_the_precision_that_the_node_takes(repository_models):
    speed = measure_speed(repository_models / "baseline_cnn")
    assert speed.precision == "float32" and list(speed.ms_per_face) == [1, 20]
    assert min(speed.ms_per_face.values()) > 0.0
