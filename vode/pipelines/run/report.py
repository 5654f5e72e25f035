"""What is made of a finished folder for people to look at: the report, and the recording of a viewer."""

from __future__ import annotations

import importlib.util

from vode.pipelines.run.folder import OutputFolder
from vode.report import write_recording, write_report


def write_views(folder: OutputFolder) -> None:
    """Write report.html, and recording.rrd where rerun is installed."""
    if importlib.util.find_spec("rerun") is not None:
        write_recording(folder.path)
        folder.update()
    write_report(folder.path)
