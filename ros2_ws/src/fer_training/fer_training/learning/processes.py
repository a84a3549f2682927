# SPDX-License-Identifier: Apache-2.0
"""Train in several processes, started by torchrun."""

from __future__ import annotations

import os
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from ..networks.multiple_self_attention import MultipleSelfAttention

# The others wait while the first one scores a view or measures the accuracy.
_TIMEOUT = timedelta(hours=2)


class Processes:
    """The processes of one training; a single one without torchrun.

    Each draws and augments whole batches with the same random numbers and takes its part of
    them, so that their number does not change the batches. Gradients are averaged.

    :param device: where PyTorch trains: ``cpu``, ``cuda``.
    :ivar place: the device of this process.
    :raises ValueError: when there are more processes than GPUs.
    """

    def __init__(self, device: str) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0")) if self.count > 1 else 0
        self.place = torch.device(device)
        if self.count == 1:
            return
        if self.place.type == "cuda":
            index, present = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
            if index >= present:
                raise ValueError(
                    f"process {index} has no GPU: {present} present; ask torchrun for as many"
                )
            self.place = torch.device("cuda", index)
        if not distributed.is_initialized():
            backend = "nccl" if self.place.type == "cuda" else "gloo"
            distributed.init_process_group(backend, timeout=_TIMEOUT)

    @property
    def is_first(self) -> bool:
        """Return whether this process writes the files and the log."""
        return self.rank == 0

    def check_batch(self, batch_size: int) -> None:
        """Refuse a batch that cannot be shared equally.

        :raises ValueError: naming both numbers.
        """
        if batch_size % self.count:
            raise ValueError(
                f"{self.count} processes cannot share batches of {batch_size} equally: start a "
                "number that divides it"
            )

    def part(self, batch: Tensor) -> Tensor:
        """Return this process's rows of a batch."""
        return batch[self.rank :: self.count]

    def joined(self, network: nn.Module) -> nn.Module:
        """Return ``network`` with gradients averaged over the processes."""
        if self.count == 1:
            return network
        # Bypassed attention has weights without gradients.
        attends = any(isinstance(m, MultipleSelfAttention) for m in network.modules())
        return DistributedDataParallel(network, find_unused_parameters=attends)

    def mean(self, value: Tensor) -> float:
        """Return the mean of ``value``, a scalar, over the processes."""
        if self.count > 1:
            distributed.all_reduce(value)
        return value.item() / self.count

    def from_first(self, value: float) -> float:
        """Return the first process's ``value``; waits for it."""
        if self.count == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.place)
        distributed.broadcast(shared, src=0)
        return shared.item()


def leave() -> None:
    """Leave the other processes, if any."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
