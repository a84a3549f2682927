# SPDX-License-Identifier: Apache-2.0
"""Selection: choose the face to follow, or what to show instead."""
