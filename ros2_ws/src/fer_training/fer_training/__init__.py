# SPDX-License-Identifier: Apache-2.0
"""Train, export and evaluate the networks of fer_perception."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_common.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .exporting.calibration import fit_temperature
    from .exporting.onnx_export import ExportedGraphs, export_graphs
    from .learning.augmentation import Augmentation
    from .learning.recipes import RECIPES, Recipe, Stage
    from .learning.trained_network import TrainedNetwork, load_network
    from .networks import NETWORKS, create_network

__all__ = [
    "NETWORKS",
    "RECIPES",
    "Augmentation",
    "ExportedGraphs",
    "Recipe",
    "Stage",
    "TrainedNetwork",
    "create_network",
    "export_graphs",
    "fit_temperature",
    "load_network",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "NETWORKS": "networks",
        "RECIPES": "learning.recipes",
        "Augmentation": "learning.augmentation",
        "ExportedGraphs": "exporting.onnx_export",
        "Recipe": "learning.recipes",
        "Stage": "learning.recipes",
        "TrainedNetwork": "learning.trained_network",
        "create_network": "networks",
        "export_graphs": "exporting.onnx_export",
        "fit_temperature": "exporting.calibration",
        "load_network": "learning.trained_network",
    },
)
