"""Augmentation of training samples: geometric and photometric."""
