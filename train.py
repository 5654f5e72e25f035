import sys

from vode.cli import main

sys.exit(main(["train", *sys.argv[1:]]))
