"""Loop closure: places recognised, loops verified, drift corrected."""
