"""ros2 launch vode_ros odometry.launch.py image:=/camera/image_raw camera_info:=/camera/camera_info"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

CONFIG = Path(get_package_share_directory("vode_ros")) / "config" / "odometry.yaml"
ARGUMENTS = {
    "image": ("/camera/image_raw", "topic of the images; of compressed ones without /compressed"),
    "camera_info": ("/camera/camera_info", "topic of their camera"),
    "params": (str(CONFIG), "file of the node's parameters"),
}


def generate_launch_description() -> LaunchDescription:
    """One node, its topics remapped."""
    declared = [DeclareLaunchArgument(n, default_value=d, description=t) for n, (d, t) in ARGUMENTS.items()]
    node = Node(
        package="vode_ros",
        executable="odometry",
        name="vode_odometry",
        output="screen",
        parameters=[LaunchConfiguration("params")],
        remappings=[(name, LaunchConfiguration(name)) for name in ("image", "camera_info")],
    )
    return LaunchDescription([*declared, node])
