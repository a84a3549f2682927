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
"""Execution providers; auto selects CUDA where present, else the CPU."""

_CPU: Final = "CPUExecutionProvider"
# ONNX Runtime's name of each, and the package that provides it.
_PROVIDERS: Final = {
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu, with CUDA and cuDNN"),
    "tensorrt": ("TensorrtExecutionProvider", "onnxruntime-gpu, with CUDA and TensorRT"),
    "openvino": ("OpenVINOExecutionProvider", "onnxruntime-openvino"),
}
# Neither TensorRT, which builds an engine at each start (minutes on a small computer), nor
# OpenVINO, which is slower than the native library on a CPU.
_AUTOMATIC: Final = "cuda"


def open_session(
    model: bytes, threads: int, provider: str = "cpu"
) -> onnxruntime.InferenceSession:
    """Open a session for a serialised ONNX model.

    A missing or failing provider is replaced by the CPU, with a warning.

    :param threads: CPU threads, at least 1; with one, the calling thread computes, so that
        sessions that take turns on one thread never compete for the cores.
    :param provider: one of :data:`EXECUTION_PROVIDERS`.
    :raises ValueError: when the provider is unknown.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning idle workers take CPU time from the rest of the robot.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena never shrinks: it costs memory and saves little time.
    options.enable_cpu_mem_arena = False
    chosen = used_provider(provider)
    if chosen == "cpu":
        return _session(model, options, [_CPU])
    name, package = _PROVIDERS[chosen]
    reason = "its libraries cannot be loaded"
    try:
        session = _session(model, options, [name, _CPU])
        if name in session.get_providers():
            return session
    except Exception as error:  # ONNX Runtime's errors have no common class
        reason = " ".join(str(error).split())
    _LOG.warning(
        "execution provider %s does not start (%s): check %s; using the CPU",
        chosen,
        reason,
        package,
    )
    return _session(model, options, [_CPU])


def _session(
    model: bytes, options: onnxruntime.SessionOptions, providers: list[str]
) -> onnxruntime.InferenceSession:
    session = onnxruntime.InferenceSession(model, options, providers=providers)
    # It keeps the file for another choice of providers: as much memory again as the weights.
    session._model_bytes = None
    return session


def execution_provider_of(session: onnxruntime.InferenceSession) -> str:
    """Return which of :data:`EXECUTION_PROVIDERS` a session runs on."""
    used = session.get_providers()[0]
    return next((name for name, (known, _) in _PROVIDERS.items() if known == used), "cpu")


def present_providers() -> tuple[str, ...]:
    """Return the providers of this ONNX Runtime build, "cpu" first."""
    present = onnxruntime.get_available_providers()
    return ("cpu", *(name for name, (known, _) in _PROVIDERS.items() if known in present))


@cache  # one warning, not one per network
def used_provider(provider: str) -> str:
    """Return ``provider`` if this ONNX Runtime has it, else "cpu".

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
