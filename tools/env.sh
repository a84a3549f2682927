# SPDX-License-Identifier: Apache-2.0
# To be sourced in bash at the root of the repository, after 'make build':
#     source tools/env.sh
# Puts ROS 2 (the installed one, else .venv) and the built packages in reach.
# Variables that are set already win. FER_LIGHT_VARIANT=-noble takes .venv-noble and install-noble
# instead (tools/test_noble.sh).
_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$_root/tools/ros_found.sh"
_variant=${FER_LIGHT_VARIANT:-}
if [[ -n $_variant ]] || ! ros_found; then
    # Lets the wheels know that the library path is set, so that they need not
    # start Python a second time to set it.
    export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
    export ROS_DISTRO=jazzy ROS_VERSION=2 ROS_PYTHON_VERSION=3
    export PATH="$_root/.venv$_variant/bin:$_root/tools/bin:$PATH"
    source "$_root/.venv$_variant/setup.bash"
fi
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
if [[ -f "$_root/install$_variant/local_setup.bash" ]]; then
    source "$_root/install$_variant/local_setup.bash"
fi
unset _root _variant
unset -f ros_found
