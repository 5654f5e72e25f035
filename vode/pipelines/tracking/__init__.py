"""Sequences tracked to trajectory files, whole or in chunks, by one process or several."""
