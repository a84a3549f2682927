# SPDX-License-Identifier: Apache-2.0
"""Inference: how networks are computed on this processor."""
