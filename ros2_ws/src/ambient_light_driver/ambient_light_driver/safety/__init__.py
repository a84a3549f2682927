# SPDX-License-Identifier: Apache-2.0
"""Safety: limit flashes."""
