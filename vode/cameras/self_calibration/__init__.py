"""Focal length and distortion of a camera from its own video."""
