"""What is made of a finished folder for people to look at: the report, and the recording of a viewer."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from vode.errors import InputError
from vode.pipelines.run.folder import OutputFolder


def write_views(folder: OutputFolder) -> None:
    """Write report.html and recording.rrd, where what writes them is there."""
    if importlib.util.find_spec("vode.report") is not None:
        report = importlib.import_module("vode.report")
        if importlib.util.find_spec("rerun") is not None:
            report.write_recording(folder.path)
            folder.update()
        report.write_report(folder.path)


def open_viewer(folder: Path) -> None:
    """Open the recording of a run in its viewer; InputError without what shows it."""
    if importlib.util.find_spec("vode.report") is None:
        raise InputError("the viewer is not installed; pip install 'vode[viewer]'", "view")
    importlib.import_module("vode.report").view(folder)
