# SPDX-License-Identifier: Apache-2.0
"""Export: convert a checkpoint to a model for the node."""
