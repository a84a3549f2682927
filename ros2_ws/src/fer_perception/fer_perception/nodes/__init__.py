# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes and conversions between messages and core types."""
