# SPDX-License-Identifier: Apache-2.0
"""Train a network by a recipe, resumable after each epoch."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from fer_common.atomic_file import replacing
from fer_evaluation.datasets.fer2013 import Fer2013, Usage
from fer_perception.emotions import EMOTIONS

from ..networks import create_network
from ..networks.compact import Compact
from ..networks.multiple_self_attention import MultipleSelfAttention
from ..networks.vgg_stn import VggStn
from .augmented_views import AugmentedViews
from .batches import batches
from .checkpoint import load_checkpoint, save_checkpoint
from .labelled_faces import LabelledFaces, select_faces
from .mixed_precision import mixed_precision
from .optimizer import create_optimizer, one_cycle_factor
from .prediction import accuracy_on
from .processes import Processes
from .recipes import Recipe, Stage
from .teacher import Teachers
from .trained_network import TrainedNetwork

_LOG = logging.getLogger(__name__)


def train(
    network_name: str,
    recipe: Recipe,
    data: Fer2013,
    out: Path,
    seed: int = 0,
    resume: bool = False,
    start_from: TrainedNetwork | None = None,
    teachers: Sequence[str] = (),
    device: str = "cpu",
) -> Path:
    """Train and return the path of the best checkpoint.

    Write ``best.safetensors`` after each best epoch so far, then ``last.safetensors``, then
    ``log.csv`` with a line per epoch. Data order, augmentation and dropout of an epoch depend only
    on ``seed`` and its number, so that a killed and resumed run writes the same files as an
    uninterrupted one. (On the CPU: on a GPU some gradient sums depend on their order.)

    :param out: output folder; created if needed.
    :param start_from: a trained network with the initial weights; weights that only one of the two
        networks has (its attention) are ignored or keep their initialisation.
    :param teachers: models or checkpoints whose mean scores are mixed into the targets, by the
        recipe's ``teacher_weight``; see :class:`.teacher.Teachers`. A recipe with ``views`` takes
        exported models only.
    :param device: where PyTorch trains: ``cpu``, ``cuda``. Processes started by torchrun share
        each batch; see :class:`.processes.Processes`.
    :raises FileNotFoundError: when ``resume`` finds no checkpoint.
    :raises ValueError: when the number of faces is below the recipe's batch size, or the processes
        cannot share it.
    """
    processes = Processes(device)
    processes.check_batch(recipe.batch_size)
    out.mkdir(parents=True, exist_ok=True)
    rows = data.leak_free_training_rows() if recipe.leak_free else data.rows(Usage.TRAINING)
    faces = select_faces(data, rows, recipe.soft_targets, recipe.plurality_share)
    # The report's validation set; its test set, PublicTest, is not used here.
    validation = select_faces(data, data.rows(Usage.PRIVATE_TEST), soft=False)
    if len(faces.labels) < recipe.batch_size:
        raise ValueError(
            f"{len(faces.labels)} training faces are too few: the recipe takes "
            f"{recipe.batch_size} in a step"
        )
    faces, validation = faces.to(processes.place), validation.to(processes.place)
    lessons = _Lessons(faces, recipe, out, teachers, seed, processes)
    torch.manual_seed(seed)
    network = create_network(network_name, len(EMOTIONS))
    if start_from is not None:
        network.load_state_dict(start_from.network.state_dict(), strict=False)
    run = _Run(network_name, network, recipe, out, processes)
    if resume:
        run.resume()
    _LOG.info("%d training and %d validation faces", len(faces.labels), len(validation.labels))
    if start_from is not None and not resume:
        before = accuracy_on(network, validation)
        _LOG.info("before training: validation accuracy %.2f %%", 100 * before)
    for epoch in range(run.next_epoch, recipe.epochs):
        if recipe.patience is not None and epoch - run.best_epoch >= recipe.patience:
            _LOG.info("no better accuracy for %d epochs: done", recipe.patience)
            break
        # One independent seed per epoch: dropout uses the global generator, differently in each
        # process.
        torch.manual_seed(seed * 10_000 + epoch + processes.rank * 1_000_000_000)
        generator = Generator().manual_seed(seed * 10_000 + epoch)
        loss = run.learn(epoch, lessons, generator)
        # The processes' running means differ: the first one's count.
        accuracy = processes.from_first(
            accuracy_on(run.evaluated, validation) if processes.is_first else 0.0
        )
        run.finish_epoch(epoch, loss, accuracy)
    return run.best


def enter_stage(network: nn.Module, stage: Stage) -> None:
    """Apply image size and attention of ``stage`` to ``network``."""
    for module in network.modules():
        if isinstance(module, VggStn):
            module.transformer.output_size_px = stage.image_size_px
        if isinstance(module, Compact):
            module.image_size_px = stage.image_size_px
        if isinstance(module, MultipleSelfAttention):
            module.bypass = not stage.attention


class _Lessons:
    """What the epochs learn from: faces, augmented views of them, teachers."""

    def __init__(
        self,
        faces: LabelledFaces,
        recipe: Recipe,
        out: Path,
        teachers: Sequence[str],
        seed: int,
        processes: Processes,
    ) -> None:
        self._faces = faces
        self._recipe = recipe
        self._processes = processes
        self._views: AugmentedViews | None = None
        self._teacher: Teachers | None = None
        if recipe.views > 0:
            self._views = AugmentedViews(out / "views", faces.images, recipe, teachers, seed)
        elif teachers:
            self._teacher = Teachers(teachers, processes.place)

    @property
    def steps(self) -> int:
        """Number of batches in an epoch."""
        return len(self._faces.labels) // self._recipe.batch_size

    def of_epoch(self, epoch: int) -> tuple[LabelledFaces, Recipe]:
        """Return the faces of an epoch, and the recipe that augments them."""
        if self._views is None:
            return self._faces, self._recipe
        if self._processes.is_first:
            self._views.of_epoch(epoch)  # computed once, read by all
        self._processes.from_first(0.0)
        images, scores = self._views.of_epoch(epoch)
        targets, place = self._faces.targets, self._processes.place
        if scores is not None:
            targets = torch.lerp(targets, scores.to(place), self._recipe.teacher_weight)
        return (
            replace(self._faces, images=images.to(place), targets=targets),
            replace(self._recipe, augmentation=self._recipe.augmentation.after_view()),
        )

    def taught(self, targets: Tensor, images: Tensor) -> Tensor:
        """Return the targets of a batch with the teachers' scores mixed in."""
        if self._teacher is None:
            return targets
        return self._teacher.mixed_targets(targets, images, self._recipe.teacher_weight)


class _Run:
    """A network with its running mean, optimiser, log and checkpoints.

    :ivar best: path of the best checkpoint.
    """

    def __init__(
        self,
        network_name: str,
        network: nn.Module,
        recipe: Recipe,
        out: Path,
        processes: Processes,
    ) -> None:
        self.best = out / "best.safetensors"
        self._last = out / "last.safetensors"
        self._log = out / "log.csv"
        self._recipe = recipe
        self._processes = processes
        self._network = network
        network.to(processes.place, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = AveragedModel(
            network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
        )
        self._optimizer = create_optimizer(network, recipe)
        self._plateau = ReduceLROnPlateau(self._optimizer, mode="max", factor=0.5, patience=2)
        self._modules: dict[str, nn.Module] = {"network": network, "average": self._average}
        self._learner = processes.joined(network)
        self._state: dict[str, Any] = {
            "epoch": 0,
            "best_accuracy": 0.0,
            "best_epoch": 0,
            "network": network_name,
            "log": [],
        }

    @property
    def next_epoch(self) -> int:
        """Number of epochs done."""
        return int(self._state["epoch"])

    @property
    def best_epoch(self) -> int:
        """Epoch of the best checkpoint, from 1."""
        return int(self._state["best_epoch"])

    @property
    def evaluated(self) -> nn.Module:
        """Network that is evaluated and saved as the best."""
        return self._average if self._recipe.ema_decay > 0.0 else self._network

    def resume(self) -> None:
        """Go on from the last checkpoint.

        :raises FileNotFoundError: when the file is missing.
        """
        saved = load_checkpoint(self._last, self._modules, self._optimizer)
        # Checkpoints of earlier releases lack a log: their epochs are not in log.csv.
        self._state = self._state | saved
        self._plateau.load_state_dict(saved["plateau"])
        if self._processes.is_first:
            _write_log(self._log, self._state["log"])  # it may lack the last epoch
        for group, rate in zip(self._optimizer.param_groups, saved["rates"], strict=True):
            group["lr"] = rate

    def learn(self, epoch: int, lessons: _Lessons, generator: Generator) -> float:
        """Learn from the batches of one epoch.

        :param generator: for their order and augmentation.
        :returns: the mean loss.
        """
        stage = self._recipe.stage_of(epoch)
        enter_stage(self._network, stage)
        enter_stage(self._average, stage)
        self._network.train()
        loss_sum = torch.zeros((), device=self._processes.place)
        faces, recipe = lessons.of_epoch(epoch)
        progress = tqdm(
            batches(faces, recipe, generator),
            total=lessons.steps,
            desc=f"epoch {epoch + 1}/{recipe.epochs}",
            leave=False,
            mininterval=5.0,
            disable=not self._processes.is_first,
        )
        for step, (images, targets) in enumerate(progress):
            if recipe.schedule == "one_cycle":
                self._set_rate(one_cycle_factor((epoch + step / lessons.steps) / recipe.epochs))
            images, targets = self._processes.part(images), self._processes.part(targets)
            loss_sum += self._step(images, lessons.taught(targets, images))
        return self._processes.mean(loss_sum) / lessons.steps

    def _set_rate(self, factor: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate * group["base_lr_factor"] * factor

    def _step(self, images: Tensor, targets: Tensor) -> Tensor:
        with mixed_precision(self._processes.place):
            logits = self._learner(images.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits.float(), targets)
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), max_norm=5.0)
        self._optimizer.step()
        self._average.update_parameters(self._network)
        return loss.detach()

    def finish_epoch(self, epoch: int, loss: float, accuracy: float) -> None:
        """Adapt the learning rate and write checkpoints and log.

        :param loss: mean of the epoch.
        :param accuracy: on the validation set.
        """
        if self._recipe.schedule == "plateau":
            self._plateau.step(accuracy)
        rates = [group["lr"] for group in self._optimizer.param_groups]
        improved = accuracy > self._state["best_accuracy"]
        row = [str(epoch + 1), f"{loss:.5f}", f"{accuracy:.5f}", f"{rates[0]:.6f}"]
        self._state = {
            "epoch": epoch + 1,
            "best_accuracy": max(accuracy, self._state["best_accuracy"]),
            "best_epoch": epoch + 1 if improved else self._state["best_epoch"],
            "plateau": self._plateau.state_dict(),
            "rates": rates,
            "network": self._state["network"],
            "log": [*self._state["log"], row],
        }
        if not self._processes.is_first:
            return
        # The best one first: a run killed between the two writes repeats this epoch.
        if improved:
            fresh = SGD(self._network.parameters())
            save_checkpoint(self.best, {"network": self.evaluated}, fresh, self._state)
        save_checkpoint(self._last, self._modules, self._optimizer, self._state)
        _write_log(self._log, self._state["log"])
        _LOG.info(
            "epoch %d/%d: training loss %.4f, validation accuracy %.2f %% (best %.2f %%)",
            epoch + 1,
            self._recipe.epochs,
            loss,
            100 * accuracy,
            100 * self._state["best_accuracy"],
        )


def _write_log(path: Path, rows: Sequence[Sequence[str]]) -> None:
    header = ("epoch", "training_loss", "validation_accuracy", "learning_rate")
    with replacing(path) as part, part.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
