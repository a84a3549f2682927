# SPDX-License-Identifier: Apache-2.0
"""Whether this machine has ``ros2 bag``."""

import shutil

from ament_index_python.packages import PackageNotFoundError, get_package_prefix


def has_ros2_bag() -> bool:
    """Return whether ``ros2 bag play`` and ``record`` are installed."""
    try:
        get_package_prefix("ros2bag")
    except PackageNotFoundError:
        return False
    return shutil.which("ros2") is not None
