# SPDX-License-Identifier: Apache-2.0
"""Light that follows the apparent expression of a face: smooth, flash-safe, on real lamps.

The modules of this package know nothing of ROS; those in
:mod:`ambient_light_driver.nodes` connect them to a ROS 2 graph.
"""
