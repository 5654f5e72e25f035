"""Arrays in files of NumPy's own formats, and of MATLAB."""
