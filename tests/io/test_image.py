"""Image files: bytes written by other means, damage of every kind, and atomic writing."""

import errno
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.io.atomic import write_bytes
from vode.io.depth import read_depth, write_depth
from vode.io.files import inside
from vode.io.image import image_size, read_image, read_pixels, to_raw, write_image

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def encode(suffix: str, pixels: np.ndarray) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def test_image_is_rgb_in_unit_range(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(".png", RGB[..., ::-1]))
    image = read_image(tmp_path / "a.png")
    assert image.dtype == torch.float32
    torch.testing.assert_close(image, torch.from_numpy(RGB).permute(2, 0, 1) / 255, rtol=0, atol=1e-7)
    assert image_size(tmp_path / "a.png") == (5, 7)


def test_bit_depth_grey_and_alpha(tmp_path):
    deep = RGB.astype(np.uint16) * 257
    variants = {
        "deep": deep[..., ::-1],
        "grey": RGB[..., 0],
        "alpha": np.dstack([RGB[..., ::-1], RGB[..., 0]]),
    }
    for name, pixels in variants.items():
        (tmp_path / f"{name}.png").write_bytes(encode(".png", pixels))
        image = read_image(tmp_path / f"{name}.png")
        expected = RGB[..., [0, 0, 0]] if name == "grey" else RGB
        torch.testing.assert_close(image, torch.from_numpy(expected).permute(2, 0, 1) / 255, rtol=0, atol=1e-7)


def test_written_image_reads_back(tmp_path):
    image = torch.from_numpy(RGB).permute(2, 0, 1) / 255
    write_image(tmp_path / "a.png", image)
    torch.testing.assert_close(read_image(tmp_path / "a.png"), image, rtol=0, atol=1e-7)
    smooth = torch.linspace(0, 1, 64).expand(3, 32, 64)
    write_image(tmp_path / "a.JPG", smooth)
    torch.testing.assert_close(read_image(tmp_path / "a.JPG"), smooth, rtol=0, atol=0.03)
    write_image(tmp_path / "grey.png", image[:1] * 3 - 1)
    assert read_image(tmp_path / "grey.png").unique().max() == 1


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("kept", [0, 3, 20, 0.5, 0.98])
def test_cut_image_is_refused(tmp_path, suffix, kept):
    data = encode(suffix, np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    path = tmp_path / f"000007{suffix}"
    path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    reason = rf"000007{suffix}: (the image is cut short or damaged|the file is empty|not a PNG, JPEG, .* image)"
    with pytest.raises(InputError, match=reason):
        read_image(path)
    with pytest.raises(InputError, match=reason):
        image_size(path)


def test_damaged_png_is_refused(tmp_path):
    data = bytearray(encode(".png", RGB))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.png: .*damaged"):
        read_image(tmp_path / "a.png")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.png").write_text("not a picture")
    with pytest.raises(InputError, match=r"a\.png: not a PNG, JPEG, BMP, TIFF, WebP or PPM"):
        read_image(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"b\.png: no such file"):
        read_image(tmp_path / "b.png")
    with pytest.raises(InputError, match="cannot be read"):
        read_image(tmp_path)
    with pytest.raises(InputError, match=r"\.png or \.jpg"):
        write_image(tmp_path / "a.bmp", torch.zeros(3, 2, 2))


def test_claimed_size_is_checked_before_decoding(tmp_path):
    header = struct.pack(">II5B", 60000, 60000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(InputError, match="60000x60000"):
        read_image(tmp_path / "bomb.png")


def test_depth_steps_and_unknown(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(".png", np.array([[0, 256, 640]], np.uint16)))
    assert read_depth(tmp_path / "a.png").tolist() == [[[0, 1, 2.5]]]
    assert read_depth(tmp_path / "a.png", unit=1000).tolist() == [[pytest.approx([0, 0.256, 0.64])]]
    depth = torch.tensor([[[1.5, 300.0, float("nan"), float("inf"), -1.0, 0.001, 65535 / 256]]])
    write_depth(tmp_path / "b.png", depth)
    assert read_depth(tmp_path / "b.png").tolist() == [[[1.5, 0, 0, 0, 0, 0, 65535 / 256]]]
    write_image(tmp_path / "c.png", torch.zeros(3, 2, 2))
    with pytest.raises(InputError, match=r"c\.png: not a 16-bit"):
        read_depth(tmp_path / "c.png")
    with pytest.raises(InputError, match=r"choose a name ending in \.png$"):
        write_depth(tmp_path / "d.jpg", depth)


def test_real_kitti_depth(real_data):
    depth = read_depth(real_data / "kitti_depth" / "groundtruth_image_02.png")
    assert depth[depth > 0].min() > 1
    assert depth.max() < 90


def test_write_replaces_and_leaves_nothing_else(tmp_path):
    write_bytes(tmp_path / "a", b"old")
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch, code):
    write_bytes(tmp_path / "a", b"old")

    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("vode.io.atomic.os.fsync", fail)
    with pytest.raises(InputError, match="disk is full" if code == errno.ENOSPC else "cannot be written"):
        write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_write_into_no_folder(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_bytes(tmp_path / "none" / "a", b"")


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "..", "a\0b"])
def test_names_that_lead_out_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="leads out of this folder"):
        inside(tmp_path, name)


def test_names_inside_are_paths(tmp_path):
    assert inside(tmp_path, "a/../b/./c.png") == tmp_path / "b" / "c.png"
    assert inside(tmp_path, "..a") == tmp_path / "..a"


def test_ppm_is_read_and_a_cut_one_refused(tmp_path):
    path, pixels = tmp_path / "a.ppm", np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    data = b"P6\n# made by hand\n7 5\n255\n" + pixels.tobytes()
    path.write_bytes(data)
    assert np.array_equal(read_pixels(path), pixels)
    for cut in (data[:-1], data[:20], data[:2]):
        path.write_bytes(cut)
        with pytest.raises(InputError, match=r"a\.ppm: the image is cut short"):
            read_pixels(path)
    path.write_bytes(b"P6\n99999 99999\n255\n")
    with pytest.raises(InputError, match=r"a\.ppm: the image is cut short"):
        read_pixels(path)


def test_images_are_resized_alike_in_8_and_in_16_bits(tmp_path):
    smooth = np.add.outer(np.arange(40) * 3, np.arange(60) * 2).astype(np.uint8)[..., None].repeat(3, -1)
    small, deep = (to_raw(pixels, (16, 20)) for pixels in (smooth, smooth.astype(np.uint16) * 257))
    assert (small.dtype, deep.dtype) == (torch.uint8, torch.float32)
    torch.testing.assert_close(small.float() / 255, deep, rtol=0, atol=1.01 / 255)
