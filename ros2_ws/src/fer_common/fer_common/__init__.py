# SPDX-License-Identifier: Apache-2.0
"""What perception, light, bridges and bring-up share. The modules beside ``nodes`` need no ROS."""
