"""Objectives: batch -> losses, one file each."""
