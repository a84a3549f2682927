# SPDX-License-Identifier: Apache-2.0
"""Selection: whose expression the light follows."""
