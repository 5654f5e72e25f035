"""Pure functions on tensors: cameras, poses, warps, epipolar geometry, triangulation, alignment."""
