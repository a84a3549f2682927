# SPDX-License-Identifier: Apache-2.0
"""Train, export and evaluate the networks of fer_perception."""
