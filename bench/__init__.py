# SPDX-License-Identifier: Apache-2.0
"""Speed beside other packages, and of the whole graph; run by ``make bench``."""
