# SPDX-License-Identifier: Apache-2.0
"""Read and writes rosbag2 bags without ROS."""
