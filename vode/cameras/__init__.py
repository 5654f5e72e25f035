"""Cameras and their calibration files."""
