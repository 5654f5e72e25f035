"""What is shown of a run: one self-contained page (``write_report``) and a recording for rerun (``write_recording``).

html        markup that escapes whatever comes from files
record      the folder of a run, read: run.json, log.jsonl and the trajectory
motion      speed, height and angles over time
cloud       cloud.ply, read and thinned
chart       lines over time as SVG
overhead    the path from above
timeline    methods over time, lost frames and other thumbnails
sections    the parts of the page in words and tables
payload     what the page's script draws: the cloud, the path and the values under the pointer
page        all of it, filled into static/report.html
recording   the same for the viewer of rerun, into a file or live
"""

from vode.report.page import write_report
from vode.report.recording import Recording, view, write_recording

__all__ = ["Recording", "view", "write_recording", "write_report"]
