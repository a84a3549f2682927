# SPDX-License-Identifier: Apache-2.0
"""Data sets with labels, as training and evaluation read them."""
