# SPDX-License-Identifier: Apache-2.0
"""Trains and evaluates the networks on FER2013 with the FER+ votes."""
