# SPDX-License-Identifier: Apache-2.0
"""Evaluation by replay: a bag or a folder of pictures in, figures and a report out.

Knows nothing of ROS but the formats of its bags.
"""
