"""Scenes with a map: COLMAP, transforms.json, RealityCapture, Metashape, Bundler, Polycam, Cambridge Landmarks."""
