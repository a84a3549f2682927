# SPDX-License-Identifier: Apache-2.0
"""Calibrate confidences by temperature scaling."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature that minimises the negative log-likelihood of ``labels``.

    Guo et al. 2017, "On Calibration of Modern Neural Networks". Use validation data that is not
    reported. A label counts as correct with the probability (N + 1) / (N + 2) of Laplace's rule of
    succession, as in Platt 1999: this prevents overconfidence after a few pictures that are all
    predicted correctly.

    :param logits: N x classes.
    :param labels: N.
    """
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")
    logits = logits.double()
    count, classes = logits.shape
    smoothing = classes / ((classes - 1) * (count + 2))

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(logits / log_temperature.exp(), labels, label_smoothing=smoothing)
        value.backward()
        return value

    optimizer.step(loss)
    return float(log_temperature.detach().exp())
