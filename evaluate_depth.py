import sys

from vode.cli import main

sys.exit(main(["depth", *sys.argv[1:]]))
