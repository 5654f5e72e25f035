"""Procedural meshes of what stands and moves in the built-in world."""
