# SPDX-License-Identifier: Apache-2.0
"""Bridges to the messages of ROS4HRI (REP-155) and vision_msgs."""
