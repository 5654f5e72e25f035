"""Camera files with a matrix: OpenCV's FileStorage, and ROS's camera_info as a file or a message.

    camera_matrix: !!opencv-matrix {rows: 3, cols: 3, dt: d, data: [...]}     OpenCV, %YAML:1.0
    camera_matrix: {rows: 3, cols: 3, data: [...]}                            ROS's camera_calibration
    K: [...], D: [...], distortion_model: plumb_bob                           messages of ROS 1, k and d of ROS 2

The images are those that the camera took, not rectified ones.
"""

from __future__ import annotations

from pathlib import Path

from vode.cameras.distortion import PROJECTIONS, lens_of, model_beside
from vode.cameras.fields import Fields, to_number, to_pinhole
from vode.cameras.fit import Calibration
from vode.errors import InputError

MATRIX = ("camera_matrix", "Camera_Matrix", "cameraMatrix", "CameraMatrix", "K", "k")
DISTORTION = (
    *("distortion_coefficients", "Distortion_Coefficients", "distCoeffs", "DistCoeffs", "dist_coeffs", "dist_coeff"),
    *("distortion", "D", "d"),
)
HEIGHT = ("image_height", "image_Height", "height")
WIDTH = ("image_width", "image_Width", "width")
IGNORED = (
    "header|camera_name|R|r|P|p|rectification_matrix|projection_matrix|calibration_time|calibrationDate|name|comment|"
    "nr_?[oO]f_?[fF]rames|nframes|board_.*|square_size|marker_.*|fix_aspect_ratio|aspectRatio|flags|flagValue|pattern|"
    "avg_reprojection_error|Avg_Reprojection_Error|per_view_reprojection_errors|Per_View_Reprojection_Errors|"
    "rms|rms_error|reprojection_error|extrinsic_parameters|Extrinsic_Parameters|image_points|Image_points|grid_points"
)
"""names that tell nothing of the camera"""


def is_matrix_file(fields: Fields) -> bool:
    """Whether a file has a camera matrix."""
    return any(name in fields for name in MATRIX)


def matrix_calibration(path: Path, fields: Fields) -> Calibration:
    """A camera by its matrix and coefficients."""
    focal, centre = to_pinhole("camera_matrix", fields.numbers(*MATRIX))
    # of ROS an uncalibrated camera has an empty model
    model = model_beside(fields.take("camera_model"), fields.take("distortion_model") or None)
    if fields.take("fisheye_model") not in (None, 0, False):
        model = "fisheye"
    if str(model).lower() in (*PROJECTIONS, ""):
        model = None
    lens, distortion = lens_of(model, fields.numbers(*DISTORTION))
    size = fields.size(HEIGHT, WIDTH)
    _refuse_parts(fields, size)
    fields.close(IGNORED)
    return Calibration(path, focal, centre, lens, distortion, size)


def _refuse_parts(fields: Fields, size: tuple[int, int] | None) -> None:
    """InputError if the images are binned, or a region of what the matrix describes."""
    binning = [fields.take(name) for name in ("binning_x", "binning_y")]
    region = fields.take("roi") or {}
    if not isinstance(region, dict):
        raise InputError("roi is no region; correct it")
    offsets = [to_number("roi", region.get(name) or 0) for name in ("x_offset", "y_offset")]
    # 0 stands for all of the image
    sides = [to_number("roi", region.get(name) or 0) for name in ("height", "width")]
    cut = any(offsets) or (
        size is not None and any(side not in (0, whole) for side, whole in zip(sides, size, strict=True))
    )
    if cut or any(to_number("binning", value or 0) > 1 for value in binning):
        raise InputError("images that are binned, or a region (roi) of the camera's; calibrate for these")
