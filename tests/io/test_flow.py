"""Flow files: both formats read back, their bytes as published, and what is refused."""

import struct

import cv2
import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.io.flow import read_flow, write_flow
from vode.io.image import read_image


def test_flow_channels_as_in_the_kitti_development_kit(tmp_path):
    # R = u, G = v, B = valid; OpenCV takes B, G, R.
    raw = np.array([[[1, 2**15 - 64, 2**15 + 128], [0, 0, 0], [0, 2**15, 2**15], [0, 2**15, 2**15 + 64]]], np.uint16)
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", raw)[1].tobytes())
    flow, valid = read_flow(tmp_path / "a.png")
    assert flow.tolist() == [[[2, 0, 0, 1]], [[-1, 0, 0, 0]]]
    assert valid.tolist() == [[[1, 0, 0, 0]]]


def test_flow_reads_back_to_a_64th_pixel(tmp_path):
    flow = torch.rand(2, 6, 8) * 400 - 200
    flow[0, 0, 0], flow[1, 0, 1] = 600, float("nan")
    valid = (torch.rand(1, 6, 8) > 0.3).float()
    valid[0, 0, :2] = 1
    write_flow(tmp_path / "a.png", flow, valid)
    back, back_valid = read_flow(tmp_path / "a.png")
    valid[0, 0, :2] = 0
    assert torch.equal(back_valid, valid)
    assert back[:, 0, :2].abs().max() == 0
    torch.testing.assert_close(back[:, 1:], flow[:, 1:], rtol=0, atol=0.5 / 64 + 1e-5)


def test_flo_bytes_as_middlebury_publishes_them(tmp_path):
    file = tmp_path / "a.flo"
    file.write_bytes(b"PIEH" + struct.pack("<ii4f", 2, 1, 1.5, -2.25, 1e10, 0))
    flow, valid = read_flow(file)
    assert flow.tolist() == [[[1.5, 0]], [[-2.25, 0]]]
    assert valid.tolist() == [[[1, 0]]]
    write_flow(tmp_path / "b.flo", flow, valid)
    assert (tmp_path / "b.flo").read_bytes()[:20] == file.read_bytes()[:20]


def test_flo_reads_back_exactly(tmp_path):
    flow, valid = torch.randn(2, 5, 7) * 1000, (torch.rand(1, 5, 7) > 0.3).float()
    flow[0, 0, 0] = float("nan")
    write_flow(tmp_path / "a.flo", flow, valid)
    back, back_valid = read_flow(tmp_path / "a.flo")
    valid[0, 0, 0] = 0
    assert torch.equal(back_valid, valid)
    assert torch.equal(back, torch.where(valid > 0, flow, 0.0))


def test_what_is_no_flow_is_named(tmp_path):
    write_flow(tmp_path / "a.flo", torch.zeros(2, 4, 6), torch.ones(1, 4, 6))
    whole = (tmp_path / "a.flo").read_bytes()
    for content in (
        whole[:-1],
        whole + b"0",
        b"PIEH" + struct.pack("<ii", 2**30, 2**30),
        b"PIEH" + struct.pack("<ii", -1, 4),
    ):
        (tmp_path / "a.flo").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.flo: .* bytes are no flow"):
            read_flow(tmp_path / "a.flo")
    for content in (b"", b"nonsense of some length"):
        (tmp_path / "a.flo").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.flo: not a Middlebury"):
            read_flow(tmp_path / "a.flo")
    cv2.imwrite(str(tmp_path / "grey.png"), np.zeros((4, 6), np.uint16))
    with pytest.raises(InputError, match=r"grey\.png: not a 16-bit RGB"):
        read_flow(tmp_path / "grey.png")
    for name in ("a.jpg", "a"):
        with pytest.raises(InputError, match=r"ends in \.png or \.flo"):
            read_flow(tmp_path / name)


def test_real_kitti_flow(real_data):
    flow, valid = read_flow(real_data / "kitti_flow" / "flow_gt.png")
    assert flow.shape[1:] == read_image(real_data / "kitti_flow" / "frame1.png").shape[1:]
    assert 0.1 < valid.mean() < 0.6
    assert flow.abs().max() < 512
