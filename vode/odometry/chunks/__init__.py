"""A long video in overlapping chunks, each tracked by itself."""
