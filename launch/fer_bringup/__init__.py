# SPDX-License-Identifier: Apache-2.0
"""Starts camera, perception and light together, with and without ``ros2 launch``."""
