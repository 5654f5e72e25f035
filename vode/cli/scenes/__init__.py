"""Verbs that make scenes: of one's own, and of the built-in world."""
