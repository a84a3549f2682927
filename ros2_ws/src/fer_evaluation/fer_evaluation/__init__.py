# SPDX-License-Identifier: Apache-2.0
"""Evaluation by replay of bags and folders of pictures.

Only ``nodes`` needs a ROS installation; bags are read without one.
"""
