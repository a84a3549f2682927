# SPDX-License-Identifier: Apache-2.0
"""Start our launch files where ``ros2 launch`` is missing: PyPI's ROS 2 wheels have no launch.

:mod:`.launch` and :mod:`.launch_ros` are the part of their namesakes' vocabulary that our launch
files use; :mod:`.launch_file` reads a launch file with them, :mod:`.service` runs it.
"""
