"""KITTI: odometry, raw data, stereo and flow."""
