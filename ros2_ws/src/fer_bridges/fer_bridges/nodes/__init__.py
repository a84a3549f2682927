# SPDX-License-Identifier: Apache-2.0
"""The nodes: parameters, subscriptions and publishers around the conversions."""
