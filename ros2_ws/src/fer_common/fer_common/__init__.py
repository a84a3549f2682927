# SPDX-License-Identifier: Apache-2.0
"""Code shared by perception, light, bridges and bring-up; only ``nodes`` needs ROS."""
