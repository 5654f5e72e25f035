"""Odometry: a video in, a Trajectory out."""
