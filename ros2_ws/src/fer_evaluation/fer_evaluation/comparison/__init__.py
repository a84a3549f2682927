# SPDX-License-Identifier: Apache-2.0
"""Compare two runs of ``evaluate_bag``, of one bag or of many."""
