"""Maps of one's own scenes by pycolmap: build and align."""
