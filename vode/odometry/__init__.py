"""Odometry: frames of a video in, poses out. ``visual_odometry`` has the object, ``track`` the loop over a sequence."""
