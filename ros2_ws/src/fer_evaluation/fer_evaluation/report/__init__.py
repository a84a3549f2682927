# SPDX-License-Identifier: Apache-2.0
"""Reports: metrics.json and the HTML page."""
