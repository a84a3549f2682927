# SPDX-License-Identifier: Apache-2.0
"""Fixtures shared by the tests of several packages."""

from pathlib import Path

import numpy as np
import pytest

from fer_evaluation.datasets.fer2013 import Fer2013
from fer_evaluation.datasets.fer2013_reader import read_fer2013
from fer_perception.face import RgbImage
from fer_perception.images.frame_source import PortraitSource
from fer_perception.recognition.installed_models import DEFAULT_MODEL

_REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def portrait() -> RgbImage:
    """The first view of the portrait: 640 x 480 with one smiling face."""
    return PortraitSource().read()


@pytest.fixture(scope="session")
def media() -> Path:
    """Photographs and clips that are not part of the repository."""
    folder = _REPOSITORY.parent / "shared" / "media"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: nothing was checked on real photographs and clips")
    return folder


@pytest.fixture(scope="session")
def fer2013() -> Fer2013:
    """FER2013 with FER+ votes, which is not part of the repository."""
    folder = _REPOSITORY.parent / "shared" / "fer2013"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: nothing was checked on FER2013")
    return read_fer2013(folder)


@pytest.fixture(scope="session")
def repository_models() -> Path:
    """The folder of all models."""
    return _REPOSITORY / "models"


@pytest.fixture(scope="session")
def shipped_model(repository_models: Path) -> Path:
    """The folder of the model that the node loads by default."""
    return repository_models / DEFAULT_MODEL


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
