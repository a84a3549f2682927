# SPDX-License-Identifier: Apache-2.0
"""Train a network on FER2013 with FER+ or on class folders."""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path

import torch

from fer_perception.inference.model_files import ModelError

from .learning.processes import leave
from .learning.recipes import RECIPES
from .learning.trained_network import load_trained
from .learning.training import train
from .learning.training_data import DATA_HELP, read_training_data
from .networks import NETWORKS

_LOG = logging.getLogger(__name__)


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument(
        "--network", choices=list(NETWORKS), help="default: that of the model to start from"
    )
    parser.add_argument("--recipe", choices=list(RECIPES), default="quick")
    parser.add_argument("--data", type=Path, required=True, help=DATA_HELP)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None, help="CPU threads (default: all)")
    parser.add_argument(
        "--start-from", help="model to start from, by name or folder, or a run's checkpoint"
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
    parser.add_argument("--resume", action="store_true", help="continue from OUT/last.safetensors")
    options = parser.parse_args(args)
    is_first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts
    level = logging.INFO if is_first else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(message)s")
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    if options.network is None and options.start_from is None:
        parser.error("give --network or --start-from")
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
            _LOG.info("the same command with --resume continues after the last complete epoch")
        raise
    finally:
        leave()


if __name__ == "__main__":
    main()
