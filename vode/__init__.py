"""Self-supervised visual odometry and depth from ordinary video."""

__version__ = "0.1.0"
