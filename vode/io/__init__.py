"""Reading and writing of images, videos, depth, flow and trajectories; all files are written atomically."""
