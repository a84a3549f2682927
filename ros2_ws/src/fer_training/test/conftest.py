# SPDX-License-Identifier: Apache-2.0
import torch

from shared_fixtures import (  # noqa: F401
    fer2013,
    media,
    portrait,
    repository_models,
    rng,
    shipped_model,
)

# More threads than free cores wait for each other; one is nearly as fast on small inputs.
torch.set_num_threads(1)
