# SPDX-License-Identifier: Apache-2.0
"""Extensions of launch: restarts with back-off, optional parameters."""
