"""Scenes with a map: COLMAP, transforms.json and Cambridge Landmarks."""
