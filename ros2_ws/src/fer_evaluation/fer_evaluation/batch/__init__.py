# SPDX-License-Identifier: Apache-2.0
"""Evaluate many bags side by side, here or on a Dask cluster."""
