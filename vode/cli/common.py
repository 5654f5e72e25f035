"""What several verbs share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vode.io.atomic import write_bytes


def save_json(path: Path, content: dict[str, Any]) -> None:
    """Write a dictionary as JSON, whole or not at all; numbers that JSON lacks are an error."""
    write_bytes(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
