# SPDX-License-Identifier: Apache-2.0
"""Recognition: align faces, score crops, load models."""
