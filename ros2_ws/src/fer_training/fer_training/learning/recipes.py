# SPDX-License-Identifier: Apache-2.0
"""Training recipes: named sets of hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from .augmentation import Augmentation


@dataclass(frozen=True)
class Stage:
    """A run of epochs with one image size.

    :ivar epochs: their number.
    :ivar image_size_px: output size of the spatial transformer of a VGG network, or size of the
        image in ``compact``; the other networks always use 48.
    :ivar attention: False skips multiple self-attention, which is equivalent while its gammas are
        0 and takes less than half of the time.
    """

    epochs: int
    image_size_px: int = 48
    attention: bool = True


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of a training.

    :ivar stages: run in sequence; the schedule of the learning rate spans them all.
    :ivar batch_size: pictures per step.
    :ivar learning_rate: of the first step (``plateau``) or the highest one (``one_cycle``).
    :ivar transformer_learning_rate_factor: for the localisation network, which otherwise zooms
        out in the first epochs and stays there.
    :ivar schedule: ``plateau`` halves the rate after two epochs without a better validation
        accuracy; ``one_cycle`` warms up and then falls to 0 along a cosine.
    :ivar weight_decay: of all weights.
    :ivar balance: a class is drawn with a weight of (its share of the data)^-balance: 0 by
        frequency, 1 all classes equally.
    :ivar soft_targets: use the raters' distribution instead of one label.
    :ivar plurality_share: of the one label in soft targets, 0 to 1.
    :ivar mixup: share of the batches in which each face is mixed with another one.
    :ivar teacher_weight: share of the teachers' scores in the targets, if any. They score each
        augmented picture (Beyer et al. 2022, "Knowledge distillation: A good teacher is patient
        and consistent").
    :ivar views: number of augmented views of all pictures that the epochs take in turn, computed
        and scored by the teachers once and kept on disk; 0 augments each picture in each epoch.
        See :class:`.augmented_views.AugmentedViews`.
    :ivar leak_free: exclude training pictures that are also in a test split.
    :ivar ema_decay: of the averaged weights, which are evaluated and saved; 0 disables averaging.
    :ivar patience: epochs without a better validation accuracy before training ends; None never.
    """

    stages: tuple[Stage, ...]
    augmentation: Augmentation
    batch_size: int = 128
    learning_rate: float = 1e-2
    transformer_learning_rate_factor: float = 1.0
    schedule: Literal["plateau", "one_cycle"] = "plateau"
    weight_decay: float = 1e-4
    balance: float = 1.0
    soft_targets: bool = False
    plurality_share: float = 0.0
    mixup: float = 0.0
    teacher_weight: float = 0.0
    views: int = 0
    leak_free: bool = False
    ema_decay: float = 0.0
    patience: int | None = None

    @property
    def epochs(self) -> int:
        """Return the number of epochs of all stages."""
        return sum(stage.epochs for stage in self.stages)

    def stage_of(self, epoch: int) -> Stage:
        """Return the stage of ``epoch`` (from 0).

        :raises IndexError: when the recipe has no such epoch.
        """
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        raise IndexError(f"the recipe ends after {self.epochs} epochs")


_REPORT_EPOCHS: Final = 300

_STRONG_AUGMENTATION: Final = Augmentation(
    rotation_deg=12.0,
    scale=0.12,
    shift=0.06,
    shear=0.05,
    gamma=1.4,
    blur_probability=0.1,
    erase_probability=0.25,
    cut_probability=0.1,
)

_LONG: Final = Recipe(
    stages=(
        Stage(epochs=38, image_size_px=32, attention=False),
        Stage(epochs=15, image_size_px=40),
        Stage(epochs=23),
    ),
    augmentation=_STRONG_AUGMENTATION,
    batch_size=256,
    learning_rate=4e-2,
    transformer_learning_rate_factor=0.1,
    schedule="one_cycle",
    weight_decay=5e-4,
    balance=0.5,
    soft_targets=True,
    plurality_share=0.3,
    mixup=0.2,
    leak_free=True,
    ema_decay=0.999,
)

_COMPACT: Final = Recipe(
    stages=(
        Stage(epochs=20, image_size_px=32),
        Stage(epochs=8, image_size_px=40),
        Stage(epochs=8),
    ),
    augmentation=replace(
        _STRONG_AUGMENTATION, rotation_deg=10.0, scale=0.1, erase_probability=0.15
    ),
    learning_rate=8e-2,
    schedule="one_cycle",
    weight_decay=5e-4,
    balance=0.25,
    soft_targets=True,
    plurality_share=0.3,
    mixup=0.1,
    teacher_weight=0.7,
    views=6,
    leak_free=True,
    ema_decay=0.998,
)

RECIPES: Final[dict[str, Recipe]] = {
    # Table I of the report. Its rotation is 0.6 degrees by a mistake of units.
    "report": Recipe(
        stages=(Stage(_REPORT_EPOCHS),),
        augmentation=Augmentation(rotation_deg=0.6, scale=0.02, shear=0.02),
        patience=_REPORT_EPOCHS // 10,
    ),
    # For two CPU cores and two hours: most epochs on small images and without attention.
    "quick": Recipe(
        stages=(
            Stage(epochs=12, image_size_px=32, attention=False),
            Stage(epochs=5, image_size_px=40, attention=False),
            Stage(epochs=4, attention=False),
            Stage(epochs=2),
        ),
        augmentation=_STRONG_AUGMENTATION,
        learning_rate=2.5e-2,
        transformer_learning_rate_factor=0.1,
        schedule="one_cycle",
        weight_decay=5e-4,
        balance=0.25,
        soft_targets=True,
        leak_free=True,
        ema_decay=0.998,
    ),
    # For networks of some ten thousand weights, which do not overfit: mild augmentation, half an
    # hour at most.
    "small": Recipe(
        stages=(Stage(epochs=24),),
        augmentation=Augmentation(rotation_deg=8.0, scale=0.08, shift=0.04, shear=0.03),
        learning_rate=4e-2,
        transformer_learning_rate_factor=0.1,
        schedule="one_cycle",
        soft_targets=True,
        balance=0.0,
        leak_free=True,
        ema_decay=0.998,
    ),
    # Fine-tuning on some hundred custom faces (--start-from): a low learning rate, to avoid
    # forgetting. Minutes.
    "fine_tune": Recipe(
        stages=(Stage(epochs=10),),
        augmentation=_STRONG_AUGMENTATION,
        batch_size=32,
        learning_rate=2e-3,
        transformer_learning_rate_factor=0.1,
        schedule="one_cycle",
        weight_decay=5e-4,
        balance=0.5,
        leak_free=True,
        ema_decay=0.9,
        patience=4,
    ),
    # For a GPU: all useful epochs. Five minutes there; a day on two cores.
    "long": _LONG,
    # A second round (--start-from) with networks of the first as teachers (--teacher).
    "distil": replace(
        _LONG,
        stages=(Stage(epochs=14, image_size_px=40), Stage(epochs=14)),
        learning_rate=3e-2,
        mixup=0.5,
        teacher_weight=0.7,
    ),
    # A small network that learns from a large one (--teacher), in forty minutes of one core. The
    # teacher scores six views of each picture instead of one per epoch, a sixth of the time.
    "compact": _COMPACT,
    # Further rounds of it (--start-from), with more views and more of the teacher in the targets.
    "compact_distil": replace(
        _COMPACT,
        stages=(
            Stage(epochs=10, image_size_px=32),
            Stage(epochs=10, image_size_px=40),
            Stage(epochs=16),
        ),
        learning_rate=6e-2,
        mixup=0.2,
        teacher_weight=0.85,
        views=12,
    ),
}
