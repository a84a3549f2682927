# SPDX-License-Identifier: Apache-2.0
"""Suites that look for faults: hostile inputs, faults of the machine, load and time."""
