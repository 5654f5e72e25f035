"""Adaptation: minutes of training on one's own unlabelled video, from weights that are good already."""
