"""What corrects earlier poses by later frames: the backend of the tracker, and its filter of the scale."""
