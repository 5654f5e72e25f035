"""Metric scale of a finished trajectory, from what is known besides its video: a height, speeds, GPS or a distance."""
