# SPDX-License-Identifier: Apache-2.0
"""The report of a run: ``metrics.json`` and the HTML page."""
