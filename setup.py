"""Packages: all below vode/, and the frame lists of splits/ as vode.splits. Everything else stands in setup.cfg."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["vode", "vode.*"]), "vode.splits"], package_dir={"vode.splits": "splits"})
