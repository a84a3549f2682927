# SPDX-License-Identifier: Apache-2.0
"""Reads and writes rosbag2 bags without ROS."""
