# SPDX-License-Identifier: Apache-2.0
"""Open ONNX Runtime sessions with the same settings everywhere."""

from __future__ import annotations

import logging
from functools import cache
from typing import Final

import onnxruntime

__all__ = [
    "EXECUTION_PROVIDERS",
    "execution_provider_of",
    "open_session",
    "present_providers",
    "used_provider",
]

_LOG = logging.getLogger(__name__)

EXECUTION_PROVIDERS: Final = ("cpu", "auto", "cuda", "tensorrt", "openvino")
"""What a network runs on; auto takes CUDA where it is present, else the CPU."""

_CPU: Final = "CPUExecutionProvider"
# ONNX Runtime's name of each, and the package that brings it.
_PROVIDERS: Final = {
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu, with CUDA and cuDNN"),
    "tensorrt": ("TensorrtExecutionProvider", "onnxruntime-gpu, with CUDA and TensorRT"),
    "openvino": ("OpenVINOExecutionProvider", "onnxruntime-openvino"),
}
# Not TensorRT, which builds an engine at each start, for minutes on a small computer; nor
# OpenVINO, which is slower than the native library on a CPU.
_AUTOMATIC: Final = "cuda"


def open_session(
    model: bytes, threads: int, provider: str = "cpu"
) -> onnxruntime.InferenceSession:
    """Open a session for a serialised ONNX model.

    A provider that is missing or does not start is replaced by the CPU, with a warning.

    :param threads: CPU threads, at least 1; with one, the calling thread computes, so that
        sessions that take turns on one thread never compete for the cores.
    :param provider: one of :data:`EXECUTION_PROVIDERS`.
    :raises ValueError: when the provider is unknown.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle workers that spin take the cores from the rest of the robot.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The pool of freed blocks only grows: it costs memory and saves little.
    options.enable_cpu_mem_arena = False
    chosen = used_provider(provider)
    if chosen == "cpu":
        return onnxruntime.InferenceSession(model, options, providers=[_CPU])
    name, package = _PROVIDERS[chosen]
    reason = "its libraries cannot be loaded"
    try:
        session = onnxruntime.InferenceSession(model, options, providers=[name, _CPU])
        if name in session.get_providers():
            return session
    except Exception as error:  # ONNX Runtime's errors have no class in common
        reason = " ".join(str(error).split())
    _LOG.warning(
        "execution provider %s does not start (%s): check %s; using the CPU",
        chosen,
        reason,
        package,
    )
    return onnxruntime.InferenceSession(model, options, providers=[_CPU])


def execution_provider_of(session: onnxruntime.InferenceSession) -> str:
    """Return which of :data:`EXECUTION_PROVIDERS` a session runs on."""
    used = session.get_providers()[0]
    return next((name for name, (known, _) in _PROVIDERS.items() if known == used), "cpu")


def present_providers() -> tuple[str, ...]:
    """Return the providers that this ONNX Runtime is built with, "cpu" first."""
    present = onnxruntime.get_available_providers()
    return ("cpu", *(name for name, (known, _) in _PROVIDERS.items() if known in present))


@cache  # one warning, not one per network
def used_provider(provider: str) -> str:
    """Return the provider to try for the one asked for: itself, or "cpu" where it is missing.

    :param provider: one of :data:`EXECUTION_PROVIDERS`.
    :raises ValueError: when the provider is unknown.
    """
    if provider not in EXECUTION_PROVIDERS:
        expected = ", ".join(EXECUTION_PROVIDERS)
        raise ValueError(f"execution_provider is {provider!r}: expected one of {expected}")
    present = present_providers()
    if provider in present:
        return provider
    if provider == "auto":
        return _AUTOMATIC if _AUTOMATIC in present else "cpu"
    _LOG.warning(
        "execution provider %s is missing in this ONNX Runtime %s: install %s; using the CPU",
        provider,
        onnxruntime.__version__,
        _PROVIDERS[provider][1],
    )
    return "cpu"
