# SPDX-License-Identifier: Apache-2.0
"""Learning: recipes, augmentation, checkpoints and teachers."""
