"""``vode run``: a video in, and everything out: trajectory, depth, clouds, models of other programs, a report."""
