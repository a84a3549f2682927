# SPDX-License-Identifier: Apache-2.0
"""Tracking: faces over time, their ids, steadied scores and events."""
