"""Data sets: one reader each, behind the Sequence contract."""
