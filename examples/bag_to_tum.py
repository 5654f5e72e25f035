"""A recording to a trajectory in TUM's format: python examples/bag_to_tum.py drive.bag drive.tum

Bags of ROS 1 and 2 need pip install 'vode[ros]', and no ROS; videos and folders of images do as well. Without arguments
it takes a rendered clip.
"""

import sys
from pathlib import Path

import vode

source = sys.argv[1] if len(sys.argv) > 1 else "demo"
target = Path(sys.argv[2] if len(sys.argv) > 2 else "trajectory.tum")

run = vode.run(source, Path("bag-run"), overwrite=True)
run.trajectory.write_tum(target)
length, unit = float(run.trajectory.distances()[-1]), run.summary["scale"]["unit"]
print(f"{target}: {len(run.trajectory)} poses over {length:.1f} {unit}")
