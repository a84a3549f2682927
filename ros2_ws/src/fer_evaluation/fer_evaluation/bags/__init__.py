# SPDX-License-Identifier: Apache-2.0
"""Bags: reading, writing and playing rosbag2 recordings."""
