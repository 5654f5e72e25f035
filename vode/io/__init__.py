"""Files in and out: images, videos, depth, flow, trajectories; all written whole or not at all."""
