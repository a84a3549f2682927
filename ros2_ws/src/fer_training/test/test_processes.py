# SPDX-License-Identifier: Apache-2.0
"""Two processes learn what one does."""

import csv
import os
import subprocess
import sys

import pytest

from fer_training.learning.processes import Processes

# No dropout and no batch norm: the sums are the same but for bfloat16.
SCRIPT = """
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fer_evaluation.datasets.fer2013 import Fer2013
from fer_training.learning.augmentation import Augmentation
from fer_training.learning.processes import leave
from fer_training.learning.recipes import Recipe, Stage
from fer_training.networks import NETWORKS
from fer_training.learning.training import train

torch.set_num_threads(1)
NETWORKS["plain"] = lambda classes: nn.Sequential(
    nn.Conv2d(1, 4, 5, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(484, classes)
)
rng = np.random.default_rng(0)
labels = np.arange(120) % 7
images = rng.integers(0, 60, (120, 48, 48), np.uint8)
for image, label in zip(images, labels):
    image[:, 6 * label : 6 * label + 6] = 200
data = Fer2013(images, 9 * np.eye(10, dtype=np.uint8)[labels], np.repeat([0, 2], [96, 24]),
               np.zeros(120, bool))
recipe = Recipe((Stage(3),), Augmentation(rotation_deg=10.0, erase_probability=0.5), batch_size=32,
                learning_rate=0.02, schedule="one_cycle", mixup=0.5, ema_decay=0.5, views=2)
train("plain", recipe, data, Path(sys.argv[1]))
leave()
"""


def _losses(out):
    with (out / "log.csv").open() as file:
        return [float(row["training_loss"]) for row in csv.DictReader(file)]


def test_two_processes_have_the_loss_of_one(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for name, start in (("one", []), ("two", torchrun)):
        command = [sys.executable, *start, str(script), str(tmp_path / name)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = _losses(tmp_path / "one"), _losses(tmp_path / "two")
    assert two == pytest.approx(one, rel=1e-3)
    assert one[2] < 0.9 * one[0]


def test_batches_that_cannot_be_shared_are_refused():
    processes = Processes("cpu")
    processes.check_batch(32)
    processes.count = 3
    with pytest.raises(ValueError, match="3 processes cannot share batches of 32"):
        processes.check_batch(32)
