# SPDX-License-Identifier: Apache-2.0
"""The lamps: one module per protocol, each with one :class:`LightDevice`."""
