# SPDX-License-Identifier: Apache-2.0
"""Colour: mix palette colours by probability and fade between them."""
