"""Data sets: one reader each, behind the Sequence contract, and the samples cut from them."""
