# SPDX-License-Identifier: Apache-2.0
# To be sourced. ros_found: is a ROS 2 installation sourced in this shell?
# Our own .venv sets ROS_DISTRO too but has neither ros2 nor an rclpy that a
# Python outside it can import.
ros_found() {
    [[ -n "${ROS_DISTRO:-}" ]] && command -v ros2 >/dev/null &&
        [[ "$(command -v python3)" != */.venv*/bin/python3 ]] &&
        python3 -c 'import rclpy' 2>/dev/null
}
