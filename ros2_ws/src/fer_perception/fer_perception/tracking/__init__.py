# SPDX-License-Identifier: Apache-2.0
"""Tracking: face ids, smoothed scores and events over time."""
