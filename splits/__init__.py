"""Lists of frames that the field trains and tests on, a text file each."""
