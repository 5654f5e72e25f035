"""Formats of images: read right in each, cut ones refused, others refused by name, EXIF, and values of less depth."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from vode.errors import InputError
from vode.io.image import SAMPLES, exif_orientation, find_levels, image_size, read_pixels, turned
from vode.io.image_formats import OTHER_SUFFIXES

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
RAMP = np.linspace(0, 1, 54).reshape(6, 9)
FORMATS = {".bmp": [], ".tif": [], ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101], ".ppm": [], ".png": [], ".TIFF": []}


def encode(suffix, pixels, flags=()):
    return cv2.imencode(suffix, pixels, list(flags))[1].tobytes()


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_pixels_and_is_refused_when_cut(tmp_path, suffix):
    path, data = tmp_path / f"a{suffix}", encode(suffix, RGB[..., ::-1], FORMATS[suffix])
    path.write_bytes(data)
    np.testing.assert_array_equal(read_pixels(path), RGB)
    assert image_size(path) == (6, 9)
    for kept in (3, 12, 0.5, 0.9):
        path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
        with pytest.raises(InputError, match=r"a\.\w+: (the image is cut short|not a PNG)"):
            read_pixels(path)


@pytest.mark.parametrize("order", "<>")
def test_a_tiff_in_either_byte_order_is_read_and_pages_or_raw_files_are_refused(tmp_path, order):
    def tiff(tags, after=0):
        entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + 54)
        return (
            head
            + RGB[..., 0].tobytes()
            + struct.pack(order + "H", len(tags))
            + entries
            + struct.pack(order + "I", after)
        )

    path, grey = tmp_path / "a.tif", {256: 9, 257: 6, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 6, 279: 54}
    path.write_bytes(tiff(grey))
    np.testing.assert_array_equal(read_pixels(path)[..., 1], RGB[..., 0])
    for tags, after, says in (
        (grey, 62, "a TIFF of several pages"),
        (grey | {254: 1}, 0, "a camera's raw file"),
        (grey | {50706: 1}, 0, "a camera's raw file"),
        (grey | {279: 99999}, 0, "cut short"),
        (grey | {256: 2**30}, 0, "9 pixels|1073741824x6|damaged"),
    ):
        path.write_bytes(tiff(tags, after))
        with pytest.raises(InputError, match=says):
            read_pixels(path)


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6])
def test_every_kind_of_ppm_is_read_by_its_own_white_and_refused_when_cut(tmp_path, kind):
    path, channels = tmp_path / "a.pnm", 3 if kind in (3, 6) else 1
    for white in (1,) if kind in (1, 4) else (100, 255, 4095, 65535):
        values = (RAMP[..., None].repeat(channels, -1) * white).round().astype(int)
        head = f"P{kind}\n# by hand\n9 6\n" + ("" if kind in (1, 4) else f"{white}\n")
        if kind <= 3:
            body = " ".join(str(value ^ (kind == 1)) for value in values.ravel().tolist()).encode()
        elif kind == 4:
            body = np.packbits(1 - values[..., 0], axis=1).tobytes()
        else:
            body = values.astype(">u2" if white > 255 else "u1").tobytes()
        path.write_bytes(head.encode() + body)
        pixels = read_pixels(path)
        full = np.iinfo(pixels.dtype).max
        np.testing.assert_allclose(pixels[..., 0] / full, values[..., 0] / white, atol=1.01 / 255)
        path.write_bytes(head.encode() + body[:-7])
        with pytest.raises(InputError, match="cut short"):
            read_pixels(path)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GIF89a", "GIF"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        (b"\0\0\0 ftypavif", "AVIF"),
        (b"\0\0\0 ftypheic", "HEIC"),
        (b"v/1\x01", "OpenEXR"),
        (b"#?RADIANCE", "Radiance HDR"),
        (b"Y\xa6j\x95", "Sun raster"),
        (b"P7\nWIDTH", "PAM"),
        (b"PF\n1 1", "PFM"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (b"II*\0\x10\0\0\0CR", "Canon raw"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path, data, name):
    (tmp_path / "a.png").write_bytes(data + bytes(40))
    with pytest.raises(
        InputError, match=rf"a\.png: {name}.*, not a PNG, JPEG, BMP, TIFF, WebP or PPM image; convert it"
    ):
        read_pixels(tmp_path / "a.png")


def test_whatever_opencv_writes_is_read_or_refused_by_name(tmp_path):
    for suffix in OTHER_SUFFIXES:
        try:
            _, data = cv2.imencode(suffix, RGB if suffix not in (".exr", ".hdr", ".pfm") else RGB.astype(np.float32))
        except cv2.error:
            continue
        if len(data) == 0:
            continue
        (tmp_path / f"a{suffix}").write_bytes(data.tobytes())
        with pytest.raises(InputError, match="not a PNG"):
            read_pixels(tmp_path / f"a{suffix}")


def exif(number, order="<"):
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    return head + struct.pack(order + "HHIHHI", 274, 3, 1, number, 0, 0)


def jpeg_with(number, pixels, order="<"):
    body, data = b"Exif\0\0" + exif(number, order), encode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def png_with(number, pixels, _=None):
    data, body = encode(".png", pixels), b"eXIf" + exif(number)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


# how an image appears, by where its first row and column are shown (EXIF 2.3, tag 274)
SHOWN = {
    **{1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1]},
    **{5: lambda p: p.swapaxes(0, 1), 6: lambda p: np.rot90(p, -1)},
    **{7: lambda p: np.rot90(p, -1)[:, ::-1][::-1, ::-1], 8: lambda p: np.rot90(p)},
}


@pytest.mark.parametrize("number", SHOWN)
@pytest.mark.parametrize("write", [jpeg_with, png_with])
@pytest.mark.parametrize("order", "<>")
def test_pixels_are_stored_ones_unless_a_viewers_are_asked_for(tmp_path, number, write, order):
    stored = np.zeros((32, 48, 3), np.uint8)
    stored[:8], stored[:, :16] = 255, 128
    (tmp_path / "a").write_bytes(write(number, stored, order))
    assert exif_orientation(tmp_path / "a") == number
    assert np.abs(read_pixels(tmp_path / "a").astype(int) - stored).max() < 40
    shown = read_pixels(tmp_path / "a", upright=True)
    expected = cv2.imdecode(np.frombuffer(write(number, stored, order), np.uint8), cv2.IMREAD_COLOR)
    for wanted in (expected[..., ::-1], turned(stored, number)):
        assert shown.shape == wanted.shape
        assert np.abs(shown.astype(int) - wanted).max() < 40


@pytest.mark.parametrize("number", SHOWN)
def test_turning_is_what_exif_says(number):
    if number == 7:
        pytest.skip("compared with OpenCV above")
    np.testing.assert_array_equal(turned(RGB, number), SHOWN[number](RGB))


def test_the_orientation_of_a_tiff_is_not_applied_by_the_decoder_itself(tmp_path):
    data = bytearray(encode(".tif", RGB[..., ::-1]))
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = [bytes(data[at + 2 + 12 * k : at + 14 + 12 * k]) for k in range(count)]
    entries = [entry for entry in entries if entry[:2] != struct.pack("<H", 274)]
    entries.append(struct.pack("<HHIHH", 274, 3, 1, 6, 0))
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    (tmp_path / "a.tif").write_bytes(
        bytes(data[:4]) + struct.pack("<I", len(data)) + bytes(data[8:]) + struct.pack("<H", len(entries))
        + b"".join(entries) + bytes(4)
    )  # fmt: skip
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif"), RGB)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif", upright=True), np.rot90(RGB, -1))


def deep(folder, *images):
    files = [folder / f"{k}.png" for k in range(len(images))]
    for file, pixels in zip(files, images, strict=True):
        file.write_bytes(encode(".png", pixels.astype(np.uint16)))
    return files


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_values_of_fewer_bits_are_stretched_alike_over_a_sequence_and_that_is_said(tmp_path, bits):
    white = 2**bits - 1
    files = deep(tmp_path, RAMP * white * 0.7, RAMP * white)
    levels, (note,) = find_levels(files)
    for file, bright in zip(files, (0.7, 1.0), strict=True):
        np.testing.assert_allclose(read_pixels(file, levels=levels)[..., 0] / 65535, RAMP * bright, atol=1.5 / white)
    assert f"values up to {white}, stretched as {bits} bits" in note


def test_a_bright_image_among_dark_ones_is_not_clipped(tmp_path):
    files = deep(tmp_path, *[RAMP * 200] * 5, RAMP * 4095, *[RAMP * 200] * 34)
    levels, (note,) = find_levels(files)
    assert "values up to 4095, stretched as 12 bits" in note
    np.testing.assert_allclose(read_pixels(files[5], levels=levels)[..., 0] / 65535, RAMP, atol=2e-3)
    # of a long sequence not every image is looked at
    levels, _ = find_levels([files[0]] * SAMPLES * 3)
    with pytest.raises(InputError, match=r"5\.png: values up to 4095, above those of its sequence, of which 255 is"):
        read_pixels(files[5], levels=levels)


def test_a_narrow_band_of_a_thermal_camera_is_stretched_and_full_ranges_are_not(tmp_path):
    levels, (note,) = find_levels(deep(tmp_path, 7000 + RAMP * 1500, 7200 + RAMP * 1500))
    assert (levels.black, levels.white) == pytest.approx((7000, 8700), abs=5)
    assert "values from 70" in note
    assert find_levels(deep(tmp_path, RAMP * 65535)) == (None, ())
    assert find_levels(deep(tmp_path, 40000 + RAMP * 9000)) == (None, ())
    (tmp_path / "0.png").write_bytes(encode(".png", RGB))
    assert find_levels([tmp_path / "0.png"]) == find_levels([]) == (None, ())
