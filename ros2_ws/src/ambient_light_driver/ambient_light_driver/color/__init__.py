# SPDX-License-Identifier: Apache-2.0
"""Colour: from probabilities to a colour that moves smoothly."""
