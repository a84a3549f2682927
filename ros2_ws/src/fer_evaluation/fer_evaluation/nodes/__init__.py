# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes that play, record and score."""
