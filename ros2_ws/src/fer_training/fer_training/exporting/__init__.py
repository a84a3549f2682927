# SPDX-License-Identifier: Apache-2.0
"""Exporting: from a checkpoint to a model that the node loads."""
