#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the documentation into build/docs; any warning is an error. Needs Python 3.11 or later
# and nothing of ROS 2: what it uses goes into an environment of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
environment=build/docs-environment
requirements=requirements/docs.txt

if ! cmp -s "$requirements" "$environment/installed.txt"; then
    "${PYTHON:-python3}" -m venv --clear "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$environment/installed.txt"
fi
# What ROS 2 puts on Python's path may hold other releases of the same libraries.
env -u PYTHONPATH "$environment/bin/sphinx-build" --quiet --fail-on-warning --keep-going \
    -c docs -b html . build/docs
# The cards keep the confusion matrices as tables; the pictures are drawn from these.
PYTHONPATH=ros2_ws/src/fer_training:ros2_ws/src/fer_common "$environment/bin/python" -m fer_training.figures.confusion \
    models build/docs/confusion_matrices
printf 'Wrote build/docs/docs/index.html and build/docs/confusion_matrices\n'
