#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and tests with the library versions that apt has on Ubuntu 24.04, on Python 3.12, beside
# the ordinary environment: .venv-noble, build-noble, install-noble. Arguments go to pytest.
# Not installed: PyTorch (PyPI has only builds for CUDA), so tests that train or export are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3.12}
if ! "$python" -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
    printf '%s\n' "Python 3.12 is not here: nothing was tested with Ubuntu 24.04's versions." \
        "Set PYTHON=/path/to/python3.12." >&2
    exit 1
fi
export FER_LIGHT_VARIANT=-noble
requirements=(requirements/{ros-jazzy,noble}.txt)
stamp=$({ pwd; "$python" -VV; cat "${requirements[@]}" tools/ament_underlay.py; } | sha256sum)
if ! grep -qsxF "$stamp" .venv-noble/stamp; then
    "$python" -m venv --clear .venv-noble
    touch .venv-noble/COLCON_IGNORE
    .venv-noble/bin/python -m pip install --quiet --disable-pip-version-check \
        "${requirements[@]/#/-r}"
    _ROS_WHEELS_BOOTSTRAP_COMPLETE=1 .venv-noble/bin/python tools/ament_underlay.py
    printf '%s\n' "$stamp" >.venv-noble/stamp
fi
set +u  # the setup files of ROS 2 read unset variables
source tools/env.sh
colcon --log-level error --log-base build-noble/log build --event-handlers console_cohesion- \
    console_direct- --build-base build-noble --install-base install-noble
source install-noble/local_setup.bash
exec python3 -m pytest -n 2 --dist loadgroup "$@"
