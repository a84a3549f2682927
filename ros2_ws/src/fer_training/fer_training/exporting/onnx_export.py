# SPDX-License-Identifier: Apache-2.0
"""Export a trained network as ONNX graphs from grey crops to logits.

PyTorch's exporter writes the graph and ONNX's checker checks it. :func:`largest_difference`
compares it with the network.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fer_perception.recognition.alignment import CROP_SIZE_PX
from fer_perception.recognition.split_graph import SplitGraph

from ..learning.trained_network import weights_file
from ..networks.normalization import grey_levels, normalize
from ..networks.spatial_transformer import SpatialTransformer
from .convolution_chain import split_at_convolutions
from .half_precision import with_half_precision

# The oldest operator set with the spatial transformer's sampling, supported by ONNX Runtime 1.16.
_OPSET: Final = 17
_IR_VERSION: Final = 8
_PREFIX: Final = "network."

TOLERANCE: Final = 1e-4
"""Tolerated difference between the logits of graph and network."""


@dataclass(frozen=True)
class ExportedGraphs:
    """A network as ONNX.

    :ivar whole: serialised model; its input ``crops`` is N x 48 x 48, grey, uint8, its output
        ``logits`` N x classes. It normalises the crops itself. Weights are stored in half
        precision, as in the safetensors file, and used in single precision.
    :ivar split: the same split around its convolutions; None without a chain.
    """

    whole: bytes
    split: SplitGraph | None


def export_graphs(network: nn.Module) -> ExportedGraphs:
    """Return the ONNX models of ``network``, in evaluation mode.

    :param network: with weights that half precision holds exactly.
    :raises torch.onnx.errors.OnnxExporterError: when a module cannot be exported.
    """
    exported = _exported(network)
    whole = _finished(exported)
    parts = split_at_convolutions(exported, _PREFIX)
    if parts is None:
        return ExportedGraphs(whole, None)
    before, layers, after = parts
    split = SplitGraph(_finished(before), _finished(after), layers, weights_file(network))
    return ExportedGraphs(whole, split)


def torch_logits(network: nn.Module, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the logits of ``network`` for ``crops``, N x 48 x 48."""
    with torch.inference_mode():
        return network(normalize(grey_levels(torch.from_numpy(crops)))).numpy()


def largest_difference(network: nn.Module, model: bytes, crops: NDArray[np.uint8]) -> float:
    """Return the largest logit difference between ``network`` and ``model``."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    [logits] = session.run(None, {"crops": crops})
    return float(np.abs(logits - torch_logits(network, crops)).max())


class _FromCrops(nn.Module):
    """A network with its normalisation, in exportable operators."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> Tensor:
        return self.network(normalize(grey_levels(crops)))


class _ExplicitGrid(SpatialTransformer):
    """A spatial transformer with an explicit grid instead of affine_grid."""

    def forward(self, image: Tensor) -> Tensor:
        size = self.output_size_px
        centers = (2.0 * torch.arange(size) + 1.0) / size - 1.0
        rows, columns = torch.meshgrid(centers, centers, indexing="ij")
        points = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1).reshape(1, -1, 3)
        grid = points @ self.localization(image).transpose(1, 2)
        return F.grid_sample(image, grid.reshape(-1, size, size, 2), align_corners=False)


def _exportable(module: nn.Module) -> nn.Module:
    """Replace unsupported parts of ``module`` in place."""
    if isinstance(module, SpatialTransformer):
        return _ExplicitGrid(module.localization, module.output_size_px)
    # The pooling is the identity for crops of 48 px; largest_difference() shows if it is not.
    if isinstance(module, (nn.AdaptiveAvgPool2d, nn.Dropout)):
        return nn.Identity()
    for name, child in module.named_children():
        setattr(module, name, _exportable(child))
    return module


def _exported(network: nn.Module) -> onnx.ModelProto:
    options: dict[str, Any] = {}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        # The newer exporter requires the package onnxscript and an operator set that ONNX Runtime
        # 1.16 does not support.
        options["dynamo"] = False
    wrapped = _FromCrops(_exportable(copy.deepcopy(network))).eval()
    crops = torch.zeros((2, CROP_SIZE_PX, CROP_SIZE_PX), dtype=torch.uint8)
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        file = Path(folder, "exported.onnx")
        warnings.simplefilter("ignore")  # of branches that depend on fixed shapes
        torch.onnx.export(
            wrapped,
            (crops,),
            str(file),
            input_names=["crops"],
            output_names=["logits"],
            dynamic_axes={"crops": {0: "N"}, "logits": {0: "N"}},
            opset_version=_OPSET,
            # Batch normalisation is not folded into weights, so that half precision stays exact.
            training=torch.onnx.TrainingMode.PRESERVE,
            **options,
        )
        return onnx.load(str(file))


def _finished(model: onnx.ModelProto) -> bytes:
    """Check and serialise ``model`` with weights in half precision."""
    stored = with_half_precision(model)
    stored.ir_version = _IR_VERSION
    onnx.checker.check_model(stored, full_check=True)
    return stored.SerializeToString()
