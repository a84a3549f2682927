# SPDX-License-Identifier: Apache-2.0
from shared_fixtures import (  # noqa: F401
    fer2013,
    media,
    portrait,
    repository_models,
    rng,
    shipped_model,
)
