"""Where depth comes from if not from a run: files of another program, or the tracker's own tracks."""
