"""Where a webcam is, live: python examples/webcam.py 0

Any number of a camera, address, file or folder that ``vode run`` takes. Ctrl-C ends it and writes webcam.tum.
"""

import sys
from pathlib import Path

import vode

VIEW = 65  # degrees from left to right; better: vode.read_camera("camera.yaml", size)

with vode.open_stream(sys.argv[1] if len(sys.argv) > 1 else "0") as stream:
    odometry = vode.VisualOdometry(vode.load("vode-small"), vode.Camera.of_view(stream.size, VIEW))
    try:
        for timestamp, image in stream:
            result = odometry.register_frame(image, timestamp)
            x, y, z = result.pose[:3, 3]
            print(f"{result.index:5d}  {x:8.2f} {y:8.2f} {z:8.2f} m  {result.method} {result.describe()}", flush=True)
    except KeyboardInterrupt:
        pass
odometry.trajectory.write_tum(Path("webcam.tum"))
print(f"webcam.tum: {len(odometry)} poses; {odometry.summary()}; {stream.dropped} images left out")
