# SPDX-License-Identifier: Apache-2.0
"""Inference: run networks on ONNX Runtime or in C++."""
