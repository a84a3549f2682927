# SPDX-License-Identifier: Apache-2.0
"""Score predictions against ground truth."""
