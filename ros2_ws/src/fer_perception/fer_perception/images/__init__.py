# SPDX-License-Identifier: Apache-2.0
"""Images: sources, decoding, pyramids, regions and annotation."""
