# SPDX-License-Identifier: Apache-2.0
"""Runtime: threads, queues, rates and load."""
