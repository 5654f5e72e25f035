"""Structure from motion of one's own scenes by pycolmap: building and aligning maps."""
