# SPDX-License-Identifier: Apache-2.0
"""Lamps: one module per protocol, each with one :class:`LightDevice`."""
