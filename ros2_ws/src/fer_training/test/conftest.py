# SPDX-License-Identifier: Apache-2.0
from importlib.util import find_spec

from shared_fixtures import (  # noqa: F401
    fer2013,
    media,
    portrait,
    repository_models,
    rng,
    shipped_model,
)

# The root conftest names what is left out without PyTorch.
collect_ignore_glob: list[str] = []
if find_spec("torch") is None:
    collect_ignore_glob.append("test_*.py")
else:
    import torch

    # More threads than free cores wait for each other; one is nearly as fast on small inputs.
    torch.set_num_threads(1)
