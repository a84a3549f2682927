# SPDX-License-Identifier: Apache-2.0
"""Recognises the apparent facial expression of every face in a camera image.

The steps, one module each, in the order in which data flows through them:

``detection`` (image -> faces) -> ``alignment`` (faces -> aligned crops) -> ``recognition``
(crops -> scores) -> ``tracking`` (faces -> tracks) -> ``smoothing`` (scores over time), composed
by ``pipeline``. None of them knows ROS; ``nodes`` holds everything that does.
"""

import os

# ONNX Runtime from 1.29 on tells Microsoft which models are run on which machine, and keeps a
# database for it in the user's cache, unless this says otherwise before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
