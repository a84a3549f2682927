# SPDX-License-Identifier: Apache-2.0
"""Train a network on FER2013 with FER+ or on class folders."""

from __future__ import annotations

import argparse
import csv
import logging
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from fer_common.atomic_file import replacing
from fer_evaluation.datasets.fer2013 import Fer2013, Usage
from fer_evaluation.datasets.votes import EXCLUDED, plurality_labels, soft_targets
from fer_perception.emotions import EMOTIONS
from fer_perception.inference.model_files import ModelError

from .learning.augmentation import change_levels_and_geometry, erase, mix
from .learning.augmented_views import AugmentedViews
from .learning.checkpoint import load_checkpoint, save_checkpoint
from .learning.mixed_precision import mixed_precision
from .learning.processes import Processes, leave
from .learning.recipes import RECIPES, Recipe, Stage
from .learning.teacher import Teachers
from .learning.trained_network import TrainedNetwork, load_trained
from .learning.training_data import DATA_HELP, read_training_data
from .networks import NETWORKS, create_network
from .networks.compact import Compact
from .networks.multiple_self_attention import MultipleSelfAttention
from .networks.normalization import grey_levels, normalize
from .networks.spatial_transformer import LocalizationNetwork
from .networks.vgg_stn import VggStn

_LOG = logging.getLogger(__name__)
_WARM_UP_SHARE = 0.05
_EVALUATION_BATCH = 256


@dataclass(frozen=True)
class LabelledFaces:
    """Labelled faces of one split.

    :ivar images: N x 48 x 48, grey, uint8.
    :ivar labels: N, index into :data:`~fer_perception.emotions.EMOTIONS`.
    :ivar targets: N x 7, the distribution to learn, each row summing to 1.
    """

    images: Tensor
    labels: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> LabelledFaces:
        """Return the same faces on ``device``."""
        return LabelledFaces(*(t.to(device) for t in (self.images, self.labels, self.targets)))


def select_faces(
    data: Fer2013, rows: NDArray[np.int64], soft: bool, plurality_share: float = 0.0
) -> LabelledFaces:
    """Return the cleaned faces of ``rows`` with their targets.

    :param soft: use the raters' distribution as targets, except for the ``plurality_share``.
    """
    labels = plurality_labels(data.votes[rows])
    rows, labels = rows[labels != EXCLUDED], labels[labels != EXCLUDED]
    targets = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    if soft:
        votes = soft_targets(data.votes[rows])
        targets = votes + np.float32(plurality_share) * (targets - votes)
    return LabelledFaces(
        torch.from_numpy(data.images[rows]), torch.from_numpy(labels), torch.from_numpy(targets)
    )


def draw_order(labels: Tensor, balance: float, generator: Generator) -> Tensor:
    """Return the rows of one epoch in order.

    Without balance each row comes once; with it rows are drawn with replacement, those of class c
    with a weight of (share of c)^-balance.
    """
    if balance == 0.0:
        return torch.randperm(len(labels), generator=generator)
    share = torch.bincount(labels, minlength=len(EMOTIONS)).double() / len(labels)
    weights = share.clamp(min=1.0 / len(labels)) ** -balance
    return torch.multinomial(weights[labels], len(labels), replacement=True, generator=generator)


def batches(
    faces: LabelledFaces, recipe: Recipe, generator: Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (normalised images, targets) of one epoch.

    Images are B x 1 x 48 x 48, targets B x 7. The last, incomplete batch is dropped, as it would
    distort batch norm.
    """
    order = draw_order(faces.labels.cpu(), recipe.balance, generator)
    for start in range(0, len(order) - recipe.batch_size + 1, recipe.batch_size):
        rows = order[start : start + recipe.batch_size].to(faces.images.device)
        images = grey_levels(faces.images[rows])
        images = change_levels_and_geometry(images, recipe.augmentation, generator)
        images = erase(normalize(images), recipe.augmentation, generator)
        targets = faces.targets[rows]
        if recipe.mixup > 0.0:
            images, targets = mix(images, targets, recipe.mixup, generator)
        yield images, targets


def predict(network: nn.Module, images: Tensor) -> Tensor:
    """Return the logits, N x classes, of grey uint8 ``images``, N x 48 x 48.

    :param images: on the device of ``network``.
    """
    network.eval()
    with torch.inference_mode(), mixed_precision(images.device):
        return torch.cat(
            [
                network(normalize(grey_levels(part))).float()
                for part in images.split(_EVALUATION_BATCH)
            ]
        )


def _accuracy(network: nn.Module, faces: LabelledFaces) -> float:
    predicted = predict(network, faces.images).argmax(dim=1)
    return (predicted == faces.labels).double().mean().item()


def enter_stage(network: nn.Module, stage: Stage) -> None:
    """Apply image size and attention of ``stage`` to ``network``."""
    for module in network.modules():
        if isinstance(module, VggStn):
            module.transformer.output_size_px = stage.image_size_px
        if isinstance(module, Compact):
            module.image_size_px = stage.image_size_px
        if isinstance(module, MultipleSelfAttention):
            module.bypass = not stage.attention


def one_cycle_factor(progress: float) -> float:
    """Return the relative learning rate at ``progress`` in [0, 1]."""
    if progress < _WARM_UP_SHARE:
        return (progress + 0.001) / (_WARM_UP_SHARE + 0.001)
    return 0.5 + 0.5 * math.cos(math.pi * (progress - _WARM_UP_SHARE) / (1.0 - _WARM_UP_SHARE))


def _parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    transformer = [
        parameter
        for module in network.modules()
        if isinstance(module, LocalizationNetwork)
        for parameter in module.parameters()
    ]
    known = {id(parameter) for parameter in transformer}
    others = [p for p in network.parameters() if id(p) not in known]
    groups = [(others, 1.0), (transformer, recipe.transformer_learning_rate_factor)]
    return [
        {"params": params, "lr": recipe.learning_rate * factor, "base_lr_factor": factor}
        for params, factor in groups
        if params
    ]


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
    place = processes.place
    faces, validation = faces.to(place), validation.to(place)
    views = teacher = None
    if recipe.views > 0:
        views = AugmentedViews(out / "views", faces.images, recipe, teachers, seed)
    elif teachers:
        teacher = Teachers(teachers, place)

    torch.manual_seed(seed)
    network = create_network(network_name, len(EMOTIONS))
    if start_from is not None:
        network.load_state_dict(start_from.network.state_dict(), strict=False)
    network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(
        network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
    )
    optimizer = SGD(
        _parameter_groups(network, recipe),
        momentum=0.9,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )
    plateau = ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=2)
    modules: dict[str, nn.Module] = {"network": network, "average": average}
    last, best = out / "last.safetensors", out / "best.safetensors"
    state: dict[str, Any] = {"epoch": 0, "best_accuracy": 0.0, "best_epoch": 0, "log": []}
    if resume:
        state = load_checkpoint(last, modules, optimizer)
        # Checkpoints of earlier releases lack a log: their epochs are not in log.csv.
        state.setdefault("log", [])
        plateau.load_state_dict(state["plateau"])
        if processes.is_first:
            _write_log(out / "log.csv", state["log"])  # it may lack the last epoch
        for group, rate in zip(optimizer.param_groups, state["rates"], strict=True):
            group["lr"] = rate
    learner = processes.joined(network)
    steps = len(faces.labels) // recipe.batch_size
    _LOG.info("%d training and %d validation faces", len(faces.labels), len(validation.labels))
    if start_from is not None and not resume:
        before = _accuracy(network, validation)
        _LOG.info("before training: validation accuracy %.2f %%", 100 * before)

    for epoch in range(state["epoch"], recipe.epochs):
        if recipe.patience is not None and epoch - state["best_epoch"] >= recipe.patience:
            _LOG.info("no better accuracy for %d epochs: done", recipe.patience)
            break
        stage = recipe.stage_of(epoch)
        enter_stage(network, stage)
        enter_stage(average, stage)
        # One independent seed per epoch: dropout uses the global generator, differently in each
        # process.
        torch.manual_seed(seed * 10_000 + epoch + processes.rank * 1_000_000_000)
        generator = Generator().manual_seed(seed * 10_000 + epoch)
        network.train()
        loss_sum = torch.zeros((), device=place)
        epoch_faces, epoch_recipe = faces, recipe
        if views is not None:
            if processes.is_first:
                views.of_epoch(epoch)  # computed once, read by all
            processes.from_first(0.0)
            images, scores = views.of_epoch(epoch)
            targets = faces.targets
            if scores is not None:
                targets = torch.lerp(targets, scores.to(place), recipe.teacher_weight)
            epoch_faces = replace(faces, images=images.to(place), targets=targets)
            epoch_recipe = replace(recipe, augmentation=recipe.augmentation.after_view())
        progress = tqdm(
            batches(epoch_faces, epoch_recipe, generator),
            total=steps,
            desc=f"epoch {epoch + 1}/{recipe.epochs}",
            leave=False,
            mininterval=5.0,
            disable=not processes.is_first,
        )
        for step, (images, targets) in enumerate(progress):
            if recipe.schedule == "one_cycle":
                factor = one_cycle_factor((epoch + step / steps) / recipe.epochs)
                for group in optimizer.param_groups:
                    group["lr"] = recipe.learning_rate * group["base_lr_factor"] * factor
            images, targets = processes.part(images), processes.part(targets)
            if teacher is not None:
                targets = teacher.mixed_targets(targets, images, recipe.teacher_weight)
            with mixed_precision(place):
                logits = learner(images.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits.float(), targets)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), max_norm=5.0)
            optimizer.step()
            average.update_parameters(network)
            loss_sum += loss.detach()
        evaluated = average if recipe.ema_decay > 0.0 else network
        # The processes' running means differ: the first one's count.
        accuracy = processes.from_first(
            _accuracy(evaluated, validation) if processes.is_first else 0.0
        )
        if recipe.schedule == "plateau":
            plateau.step(accuracy)
        mean_loss = processes.mean(loss_sum) / steps
        improved = accuracy > state["best_accuracy"]
        state = {
            "epoch": epoch + 1,
            "best_accuracy": max(accuracy, state["best_accuracy"]),
            "best_epoch": epoch + 1 if improved else state["best_epoch"],
            "plateau": plateau.state_dict(),
            "rates": [group["lr"] for group in optimizer.param_groups],
            "network": network_name,
            "log": [
                *state["log"],
                _log_row(epoch + 1, mean_loss, accuracy, optimizer.param_groups[0]["lr"]),
            ],
        }
        if not processes.is_first:
            continue
        # The best one first: a run killed between the two writes repeats this epoch.
        if improved:
            save_checkpoint(best, {"network": evaluated}, SGD(network.parameters()), state)
        save_checkpoint(last, modules, optimizer, state)
        _write_log(out / "log.csv", state["log"])
        _LOG.info(
            "epoch %d/%d: training loss %.4f, validation accuracy %.2f %% (best %.2f %%)",
            epoch + 1,
            recipe.epochs,
            mean_loss,
            100 * accuracy,
            100 * state["best_accuracy"],
        )
    return best


def _log_row(epoch: int, loss: float, accuracy: float, rate: float) -> list[str]:
    return [str(epoch), f"{loss:.5f}", f"{accuracy:.5f}", f"{rate:.6f}"]


def _write_log(path: Path, rows: Sequence[Sequence[str]]) -> None:
    header = ("epoch", "training_loss", "validation_accuracy", "learning_rate")
    with replacing(path) as part, part.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument(
        "--network", choices=list(NETWORKS), help="default: that of the model to begin with"
    )
    parser.add_argument("--recipe", choices=list(RECIPES), default="quick")
    parser.add_argument("--data", type=Path, required=True, help=DATA_HELP)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None, help="CPU threads (default: all)")
    parser.add_argument(
        "--start-from", help="model to begin with, by name or folder, or a run's checkpoint"
    )
    parser.add_argument(
        "--teacher",
        action="append",
        default=[],
        help="a model or a run's checkpoint to learn from (repeatable)",
    )
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu", help="%(default)s"
    )
    parser.add_argument(
        "--keep-leaked",
        action="store_true",
        help="train on pictures that are also in a test split, as the report did",
    )
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.safetensors")
    options = parser.parse_args(args)
    is_first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts
    level = logging.INFO if is_first else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(message)s")
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    if options.network is None and options.start_from is None:
        parser.error("name a --network, or a model to --start-from")
    recipe = RECIPES[options.recipe]
    if options.keep_leaked:
        recipe = replace(recipe, leak_free=False)
    try:
        start_from, network_name = None, options.network
        if options.start_from is not None:
            start_from = load_trained(options.start_from)
            network_name = network_name or start_from.name
        train(
            network_name,
            recipe,
            read_training_data(options.data),
            options.out,
            seed=options.seed,
            resume=options.resume,
            start_from=start_from,
            teachers=options.teacher,
            device=options.device,
        )
    except (FileNotFoundError, ModelError, ValueError) as error:
        parser.exit(2, f"train: {error}\n")
    except KeyboardInterrupt:
        if (options.out / "last.safetensors").is_file():
            _LOG.info("the same command with --resume goes on after the last whole epoch")
        raise
    finally:
        leave()


if __name__ == "__main__":
    main()
