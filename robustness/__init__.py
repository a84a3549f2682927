# SPDX-License-Identifier: Apache-2.0
"""Robustness suites: hostile inputs, machine faults, load and long runs."""
