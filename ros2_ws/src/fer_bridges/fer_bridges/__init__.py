# SPDX-License-Identifier: Apache-2.0
"""Apparent expressions in the messages of others: ROS4HRI (REP-155) and vision_msgs."""
