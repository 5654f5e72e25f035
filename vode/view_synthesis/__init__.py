"""View synthesis: depth and motion learned together, by making each frame of a snippet from the others."""
