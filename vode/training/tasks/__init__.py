"""Training objectives, batch -> losses, one file each."""
