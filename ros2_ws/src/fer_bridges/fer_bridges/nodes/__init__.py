# SPDX-License-Identifier: Apache-2.0
"""Nodes: parameters, subscriptions and publishers around the conversions."""
