# SPDX-License-Identifier: Apache-2.0
"""Entry points of the commands."""

from __future__ import annotations

from functools import partial

from fer_common.command import run

dashboard = partial(run, "fer_bringup.dashboard.main", "dashboard")
demo = partial(run, "fer_bringup.demo.__main__", "demo")
lifecycle_manager = partial(run, "fer_bringup.lifecycle_manager")
start = partial(run, "fer_bringup.start")
