# SPDX-License-Identifier: Apache-2.0
"""Tracking of sequences with known truth, made from photographs of people."""
