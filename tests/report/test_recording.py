from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vode.errors import InputError
from vode.report import recording


def test_without_the_extra_the_remedy_is_named(
    example: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = example.write(tmp_path / "run")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rerun" else find(name))
    for action in (recording.write_recording, recording.view, recording.Recording):
        with pytest.raises(InputError, match=r"pip install 'vode\[viewer\]'"):
            action(folder)  # type: ignore[operator]
    assert not (folder / "recording.rrd").exists()


def test_without_a_display_no_viewer_is_opened(
    example: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rerun")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(InputError, match="needs a display"):
        recording.view(example.write(tmp_path / "run"))


def test_a_recording_has_the_path_the_cloud_and_images_with_depth(example: SimpleNamespace, tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    from rerun.chunk import RrdReader

    path = recording.write_recording(example.write(tmp_path / "run"))
    assert [x.name for x in path.parent.glob("*recording*")] == ["recording.rrd"]
    columns = _columns(RrdReader(path))
    positions = columns["/world/camera", "Transform3D:translation"]
    np.testing.assert_allclose(np.reshape(positions, (example.count, 3)), example.circle()[:, :3, 3], atol=1e-5)
    assert np.reshape(columns["/world/cloud", "Points3D:positions"], (-1, 3)).shape == (3000, 3)
    assert len(columns["/world/camera/image/depth", "EncodedDepthImage:blob"]) == 1
    assert len(columns["/motion/speed", "Scalars:scalars"]) == example.count


def _columns(reader: Any) -> dict[tuple[str, str], list[Any]]:
    """The values of every column, by entity and component."""
    found: dict[tuple[str, str], list[Any]] = {}
    for chunk in reader.stream():
        batch = chunk.to_record_batch()
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            found.setdefault((str(chunk.entity_path), name), []).extend(x for x in column.to_pylist() if x is not None)
    return found
