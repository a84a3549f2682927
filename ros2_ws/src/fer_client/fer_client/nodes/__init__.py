# SPDX-License-Identifier: Apache-2.0
"""ROS 2 wiring: monitor, action server, actor and message conversions."""
