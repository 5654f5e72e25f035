"""The package as ROS finds it: what it declares is there, and what it needs is declared."""

import ast
import importlib
import re
import runpy
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict
from types import ModuleType

import pytest
import setuptools
import yaml
from vode_ros.options import Options

import vode

WITH_PIP = {"vode", "torch"}
"""what rosdep does not know; torch comes with vode"""
ROSDEP = {"numpy": "python3-numpy", "scipy": "python3-scipy"}


@pytest.fixture
def manifest(package):
    return ElementTree.parse(package / "package.xml").getroot()


@pytest.fixture
def setup(package, monkeypatch):
    """What setup.py declares."""
    told = {}
    monkeypatch.setattr(setuptools, "setup", lambda **options: told.update(options))
    monkeypatch.chdir(package)
    runpy.run_path("setup.py")
    return told


def test_every_import_is_a_dependency(package, manifest):
    declared = {x.text for x in manifest.findall("exec_depend")}
    needed = set()
    for path in [*package.glob("vode_ros/*.py"), *package.glob("launch/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [x.name for x in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            needed |= {name.partition(".")[0] for name in names}
    needed -= set(sys.stdlib_module_names) | WITH_PIP | {"vode_ros"}
    assert {ROSDEP.get(name, name) for name in needed} == declared


def test_only_the_node_and_its_messages_need_ros(package):
    for path in package.glob("vode_ros/*.py"):
        needs = re.search(r"^(from|import) (rclpy|tf2_ros|\w+_msgs|\w+_interfaces)\b", path.read_text(), re.MULTILINE)
        assert bool(needs) == (path.stem in ("node", "messages")), path.name


def test_setup_manifest_and_library_agree(package, manifest, setup):
    assert manifest.findtext("name") == setup["name"] == setup["packages"][0]
    assert manifest.findtext("version") == setup["version"] == vode.__version__
    assert manifest.findtext("license") == setup["license"] == "MIT"
    files = [name for _, names in setup["data_files"] for name in names]
    assert sorted(files) == ["config/odometry.yaml", "launch/odometry.launch.py", "package.xml", "resource/vode_ros"]
    assert all((package / name).is_file() for name in files)
    (script,) = setup["entry_points"]["console_scripts"]
    module, _, function = script.partition("= ")[2].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_file_of_parameters_has_all_of_them_with_their_defaults(package):
    ((name, told),) = yaml.safe_load((package / "config" / "odometry.yaml").read_text()).items()
    assert name == "vode_odometry"
    assert told["ros__parameters"] == asdict(Options())
    table = (package / "README.md").read_text()
    assert all(f"| `{field}` |" in table for field in asdict(Options()))


def test_the_launch_file_starts_the_node_with_its_parameters(package, setup, monkeypatch):
    def module(name, **members):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        vars(sys.modules[name]).update(members)

    def called(**options):
        return options

    module("ament_index_python")
    module("ament_index_python.packages", get_package_share_directory=lambda name: str(package))
    module("launch", LaunchDescription=list)
    module("launch.actions", DeclareLaunchArgument=lambda name, **options: {"argument": name, **options})
    module("launch.substitutions", LaunchConfiguration=lambda name: f"${name}")
    module("launch_ros")
    module("launch_ros.actions", Node=called)
    (path,) = package.glob("launch/*.py")
    *arguments, node = runpy.run_path(str(path))["generate_launch_description"]()
    defaults = {x["argument"]: x["default_value"] for x in arguments}
    assert (package / defaults["params"]).read_text().startswith("#")
    assert node["executable"] == setup["entry_points"]["console_scripts"][0].partition(" =")[0]
    assert (node["package"], node["name"]) == ("vode_ros", "vode_odometry")
    assert node["parameters"] == ["$params"]
    assert node["remappings"] == [("image", "$image"), ("camera_info", "$camera_info")]
    assert set(defaults) == {"image", "camera_info", "params"}
