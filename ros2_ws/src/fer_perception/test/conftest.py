# SPDX-License-Identifier: Apache-2.0
from shared_fixtures import (  # noqa: F401
    media,
    portrait,
    repository_models,
    rng,
    shipped_model,
)
