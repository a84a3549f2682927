# SPDX-License-Identifier: Apache-2.0
"""Error of reading and writing bags."""


class BagError(Exception):
    """A bag cannot be used; the message gives place, cause and remedy."""
