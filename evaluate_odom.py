import sys

from vode.cli import main

sys.exit(main(["odom", *sys.argv[1:]]))
