# SPDX-License-Identifier: Apache-2.0
"""Entry points of the commands."""

from __future__ import annotations

from functools import partial

from fer_common.command import run

crop_faces = partial(run, "fer_training.crop_faces")
evaluate = partial(run, "fer_training.evaluate")
export = partial(run, "fer_training.export")
export_mtcnn = partial(run, "fer_training.export_mtcnn")
train = partial(run, "fer_training.train")
