# SPDX-License-Identifier: Apache-2.0
"""Safety: no dangerous flashes."""
