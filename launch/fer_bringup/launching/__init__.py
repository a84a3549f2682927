# SPDX-License-Identifier: Apache-2.0
"""What our launch files need and launch has not: restarts with back-off, optional parameters."""
