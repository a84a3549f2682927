# SPDX-License-Identifier: Apache-2.0
"""Labelled data sets for training and evaluation."""
