"""Arrays in files of NumPy's own formats."""
