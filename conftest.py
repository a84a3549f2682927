# SPDX-License-Identifier: Apache-2.0
"""Configuration of all tests."""

import os
from pathlib import Path

# As the launch files set it. Fast DDS reads its profile once in a process: a test that joined the
# graph before this is set would leave the tests after it without, and they would lose images.
_PROFILE = Path(__file__).parent / "launch" / "config" / "fastdds_large_images.xml"
for _variable in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
    os.environ.setdefault(_variable, str(_PROFILE))
