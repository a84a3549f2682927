# SPDX-License-Identifier: Apache-2.0
"""The error of everything that reads or writes bags."""


class BagError(Exception):
    """A bag cannot be used; the message gives place, cause and remedy."""
