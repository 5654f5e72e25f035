"""What the verbs of the command line do, as functions: files and options in, files and results out."""
