# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 nodes that play, record and score."""
