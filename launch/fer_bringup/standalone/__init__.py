# SPDX-License-Identifier: Apache-2.0
"""Start our launch files without ``ros2 launch``, which PyPI's wheels lack.

:mod:`.launch` and :mod:`.launch_ros` implement the subset of their namesakes that our launch files
    use; :mod:`.launch_file` reads a launch file with them, :mod:`.service` runs it.
"""
