# SPDX-License-Identifier: Apache-2.0
"""Selection: choose the face that the light follows, or what it shows instead."""
