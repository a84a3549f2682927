# SPDX-License-Identifier: Apache-2.0
"""Trained weights of fer_perception's networks, one folder each."""
