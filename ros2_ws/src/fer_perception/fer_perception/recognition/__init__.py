# SPDX-License-Identifier: Apache-2.0
"""Recognition: from faces to aligned crops to scores."""
