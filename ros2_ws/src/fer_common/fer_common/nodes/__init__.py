# SPDX-License-Identifier: Apache-2.0
"""What all nodes share: parameters, running, diagnostics, the shared-memory watchdog."""
