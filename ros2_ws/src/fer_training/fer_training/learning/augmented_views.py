# SPDX-License-Identifier: Apache-2.0
"""Augmented views of the training pictures, scored by the teachers once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from tqdm import tqdm

from fer_common.atomic_file import replacing
from fer_perception.recognition.installed_models import find_model, installed_models
from fer_perception.recognition.model_config import Precision, read_config
from fer_perception.recognition.model_store import load_model
from fer_perception.recognition.recognizer import EmotionRecognizer

from ..networks.normalization import grey_levels
from .augmentation import change_levels_and_geometry
from .recipes import Recipe
from .trained_network import CHECKPOINT_SUFFIX

_LOG = logging.getLogger(__name__)
_BATCH = 32  # larger ones leave the cache of a processor


class AugmentedViews:
    """Views of all pictures and the teachers' mean scores, in files.

    A large teacher takes as long to score a picture as a small network to learn from it, so the
    epochs take a few views in turn instead of scoring new ones. A view is computed when an epoch
    first needs it, and again when the file was made from other pictures, changes or teachers.

    :param folder: for the files, 2.3 kB a picture and view; created if needed.
    :param images: N x 48 x 48, grey, uint8.
    :param recipe: its number of views and its augmentation.
    :param teachers: exported models, by name or folder.
    :raises ~fer_perception.inference.model_files.ModelError: when a teacher cannot be loaded.
    :raises ValueError: when a teacher is a checkpoint.
    """

    def __init__(
        self, folder: Path, images: Tensor, recipe: Recipe, teachers: Sequence[str], seed: int
    ) -> None:
        self._folder = folder
        self._images = images.cpu()
        self._count = recipe.views
        self._augmentation = recipe.augmentation.of_view()
        self._seed = seed
        self._teachers = [_open_teacher(source) for source in teachers]
        made_from = repr((self._augmentation, [t.model_id for t in self._teachers], seed))
        digest = hashlib.sha256(made_from.encode())
        digest.update(self._images.numpy().tobytes())
        self._made_from = digest.hexdigest()

    def of_epoch(self, epoch: int) -> tuple[Tensor, Tensor | None]:
        """Return the view of ``epoch`` (from 0): images and scores.

        Images are N x 48 x 48, grey, uint8; scores N x 7, or None without teachers.
        """
        view = epoch % self._count
        path = self._folder / f"view_{view}.npz"
        stored = self._read(path)
        if stored is None:
            stored = self._compute(view)
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part, part.open("wb") as file:
                images, scores = stored
                np.savez(file, images=images, scores=scores, made_from=self._made_from)
        images, scores = stored
        return torch.from_numpy(images), torch.from_numpy(scores) if self._teachers else None

    def _read(self, path: Path) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
        if not path.is_file():
            return None
        with np.load(path) as file:
            if str(file["made_from"]) != self._made_from:
                _LOG.info("%s was made from other pictures or teachers: computed again", path)
                return None
            return file["images"], file["scores"]

    def _compute(self, view: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        # Seeds of epochs are below 10,000 times the run's seed plus the number of epochs.
        generator = Generator().manual_seed((self._seed + 1) * 10_000 - 1 - view)
        images, scores = [], []
        parts = self._images.split(_BATCH)
        for part in tqdm(parts, desc=f"view {view + 1}", leave=False, mininterval=5.0):
            faces = change_levels_and_geometry(grey_levels(part), self._augmentation, generator)
            crops = (faces[:, 0] * 255.0).round().clamp(0, 255).to(torch.uint8).numpy()
            images.append(crops)
            scores.append(
                np.mean([teacher.recognize(crops) for teacher in self._teachers], axis=0)
                if self._teachers
                else np.empty((len(crops), 0), np.float32)
            )
        return np.concatenate(images), np.concatenate(scores).astype(np.float32)


def _open_teacher(source: str) -> EmotionRecognizer:
    if source.endswith(CHECKPOINT_SUFFIX):
        raise ValueError(
            f"the teacher {source} is a checkpoint: a recipe with stored views takes exported "
            "models; export it first"
        )
    folder = find_model(source, installed_models())
    # On a processor a graph with 8-bit convolutions is four times as fast and as accurate.
    precision: Precision = "int8" if "int8" in read_config(folder).graph_sha256 else "float32"
    return EmotionRecognizer(load_model(folder, precision), threads=torch.get_num_threads())
