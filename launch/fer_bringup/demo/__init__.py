# SPDX-License-Identifier: Apache-2.0
"""From camera to lamp for some seconds: a live table, a video and a picture."""
