# SPDX-License-Identifier: Apache-2.0
"""Start camera, perception and light together, with and without ``ros2 launch``."""
