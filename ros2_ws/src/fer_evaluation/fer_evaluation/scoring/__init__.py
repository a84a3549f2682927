# SPDX-License-Identifier: Apache-2.0
"""Scores predictions against ground truth."""
