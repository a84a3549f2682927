# SPDX-License-Identifier: Apache-2.0
"""Fuzz everything that reads external input (``make fuzz``).

An input is determined by the target's name, a seed and its number, so that each can be reproduced:
``python -m robustness.fuzz.run TARGET --seed S --first N --inputs 1``.
"""
