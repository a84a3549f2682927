# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of the packages, their peers and the graph (``make bench``)."""
