"""Checkpoints of published systems: their networks read as this library's, and this library's written as theirs."""
