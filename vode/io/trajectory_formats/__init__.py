"""The formats of trajectory files, one module a format; ``detect`` recognises them by content."""
