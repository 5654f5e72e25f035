"""Variation of training samples: geometric and photometric."""
