# SPDX-License-Identifier: Apache-2.0
"""Faults, load and long runs of the real processes (``make soak``)."""
