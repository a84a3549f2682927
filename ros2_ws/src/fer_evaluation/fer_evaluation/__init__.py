# SPDX-License-Identifier: Apache-2.0
"""Evaluation by replay: a bag or a folder of pictures in, metrics and a report out.

Only ``nodes`` needs a ROS installation; bags are read without one.
"""
