# SPDX-License-Identifier: Apache-2.0
"""Faults, load and long runs of the real processes, with what they took printed: ``make soak``."""
