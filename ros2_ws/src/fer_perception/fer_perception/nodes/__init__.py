# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 nodes, and the conversions between messages and the core's values."""
