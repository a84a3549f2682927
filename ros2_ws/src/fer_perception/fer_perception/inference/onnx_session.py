# SPDX-License-Identifier: Apache-2.0
"""How networks are run: ONNX Runtime with the same few settings everywhere."""

from __future__ import annotations

import onnxruntime


def open_session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    """Return a session for a serialised ONNX model that never uses more than ``threads``.

    :param threads: CPU threads; with one, the calling thread does the work itself, so that
        sessions that take turns on one thread never fight for the cores.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle workers that spin take the cores from the rest of the robot.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The pool of freed blocks only grows: it costs memory and saves little.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
