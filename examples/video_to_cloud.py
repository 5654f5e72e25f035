"""A video to a coloured cloud of points: python examples/video_to_cloud.py walk.mp4 walk.ply

Without arguments it takes a rendered clip. Open the cloud in MeshLab, CloudCompare or Blender.
"""

import sys
from pathlib import Path

import vode

source = sys.argv[1] if len(sys.argv) > 1 else "demo"
target = Path(sys.argv[2] if len(sys.argv) > 2 else "cloud.ply")

print(f"tracking {source}, which takes about a second a frame on two CPU cores")
run = vode.run(source, Path("cloud-run"), overwrite=True)
points, colors = run.cloud
target.write_bytes((run.folder / "cloud.ply").read_bytes())
print(f"{target}: {len(points)} points, {run.summary['scale']['note']}")
for note in run.notes:
    print("note:", note)
