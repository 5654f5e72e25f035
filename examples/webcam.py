"""Where a webcam is, live: python examples/webcam.py 0

Any number of a camera, file or address that OpenCV opens. Ctrl-C ends it and writes webcam.tum.
"""

import sys
import time
from pathlib import Path

import cv2

import vode

VIEW = 65  # degrees from left to right; better: vode.read_camera("camera.yaml", size)

source = sys.argv[1] if len(sys.argv) > 1 else "0"
capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
odometry = None
try:
    while True:
        there, image = capture.read()
        if not there:
            break
        if odometry is None:
            odometry = vode.VisualOdometry(vode.load("vode-small"), vode.Camera.of_view(image.shape[:2], VIEW))
        result = odometry.register_frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), time.time())
        x, y, z = result.pose[:3, 3]
        print(f"{result.index:5d}  {x:8.2f} {y:8.2f} {z:8.2f} m  {result.method} {result.describe()}", flush=True)
except KeyboardInterrupt:
    pass
if odometry is None:
    sys.exit(f"{source}: no image; check the number of the camera")
odometry.trajectory.write_tum(Path("webcam.tum"))
print(f"webcam.tum: {len(odometry)} poses; {odometry.summary()}")
