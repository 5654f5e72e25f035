"""The package as colcon builds it."""

from glob import glob

from setuptools import setup

NAME = "vode_ros"

setup(
    name=NAME,
    version="0.2.0",
    packages=[NAME],
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/launch", glob("launch/*.launch.py")),
        (f"share/{NAME}/config", glob("config/*.yaml")),
    ],
    install_requires=["setuptools", "vode"],
    zip_safe=True,
    maintainer="vode authors",
    maintainer_email="maintainers@users.noreply.github.com",
    description="Visual odometry and depth of one camera, by vode",
    license="MIT",
    entry_points={"console_scripts": [f"odometry = {NAME}.node:main"]},
)
