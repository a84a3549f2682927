# SPDX-License-Identifier: Apache-2.0
"""Demo of the whole graph: live table, video and picture."""
