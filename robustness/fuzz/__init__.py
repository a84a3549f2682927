# SPDX-License-Identifier: Apache-2.0
"""Hostile inputs for everything that reads what others write: ``make fuzz``.

An input follows from the target's name, a seed and its number alone, so that each can be made
again: ``python -m robustness.fuzz.run TARGET --seed S --first N --inputs 1``.
"""
