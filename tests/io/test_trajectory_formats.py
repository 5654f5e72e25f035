"""Formats of trajectory files: each holds the same poses, written here by hand, and is known by its content."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.errors import InputError
from vode.io.trajectory import Trajectory, as_trajectory, read_trajectory
from vode.io.trajectory_formats.clock import read_times, unit_of

EPOCH = 1403715273262142976
"""nanoseconds"""


def matrices(count: int = 5, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.random(count, rng=rng).as_matrix()
    poses[:, :3, 3] = rng.normal(size=(count, 3)) * 10
    return poses


POSES = matrices()
XYZW = Rotation.from_matrix(POSES[:, :3, :3]).as_quat()


def row(*values) -> str:
    return " ".join(str(v) for v in values) + "\n"


def tum_rows(times, quaternions=XYZW, separator=" ") -> str:
    rows = zip(times, POSES[:, :3, 3], quaternions, strict=True)
    return "".join(separator.join(map(str, [t, *p, *q])) + "\n" for t, p, q in rows)


def euroc_rows(times, extra: str = "") -> str:
    return tum_rows(times, np.roll(XYZW, 1, axis=1), ",").replace("\n", f"{extra}\n")


NANOSECONDS = [EPOCH + 50_000_000 * i for i in range(5)]
EUROC = "#timestamp, p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], q_RS_z []"
TUM_VI = "#timestamp [ns],p_RS_R_x [m],p_RS_R_y [m],p_RS_R_z [m],q_RS_w [],q_RS_x [],q_RS_y [],q_RS_z []"
TEXTS = {
    "kitti": "".join(row(*m[:3].ravel()) for m in POSES),
    "kitti with tabs at the ends": "".join(row(*m[:3].ravel()).replace(" ", "\t").replace("\n", "\t\n") for m in POSES),
    "kitti with commas": "".join(row(*m[:3].ravel()).replace(" ", ",") for m in POSES),
    "frame numbers": "".join(row(i, *m[:3].ravel()) for i, m in enumerate(POSES)),
    "4x4": "".join(row(*m.ravel()) for m in POSES),
    "4x4 with frame numbers": "".join(row(i, *m.ravel()) for i, m in enumerate(POSES)),
    "tum": tum_rows([0, 0.05, 0.1, 0.15, 0.2]),
    "tum with tabs and indented comments": "  \t# made by hand\n" + tum_rows([0, 0.05, 0.1, 0.15, 0.2], separator="\t"),
    "tum in nanoseconds": tum_rows([50_000_000 * i for i in range(5)]),
    "tum with w first, as its header says": "# time x y z qw qx qy qz\n"
    + tum_rows([0, 0.05, 0.1, 0.15, 0.2], np.roll(XYZW, 1, axis=1)),
    **{
        f"w first, as in {comment!r}": f"# made by hand\n{comment}\n# in the world\n"
        + tum_rows([0, 0.05, 0.1, 0.15, 0.2], np.roll(XYZW, 1, axis=1))
        for comment in (
            "# time x y z w x y z",
            "# format: timestamp tx ty tz qw qx qy qz",
            "# [timestamp] [tx ty tz] [qw qx qy qz]",
            "# time(s) | px py pz | q.w q.x q.y q.z",
            "% t x y z qr qi qj qk",
            "# position, then quaternion (w, x, y, z)",
            "# t xyz quat_wxyz",
            "# quaternions are scalar-first",
        )
    },
    **{
        f"w last, as in {comment!r}": f"{comment}\n" + tum_rows([0, 0.05, 0.1, 0.15, 0.2])
        for comment in ("# time x y z x y z w", "# format: timestamp tx ty tz qx qy qz qw", "# t p q(xyzw)")
    },
    "csv that calls w real": "time,x,y,z,rw,rx,ry,rz\n"
    + tum_rows([0, 0.05, 0.1, 0.15, 0.2], np.roll(XYZW, 1, axis=1), ","),
    "csv with a header": "timestamp,tx,ty,tz,qx,qy,qz,qw\n" + tum_rows([0, 0.05, 0.1, 0.15, 0.2], separator=","),
    "euroc": f"{EUROC}, v_RS_R_x [m s^-1], b_w_RS_S_x [rad s^-1]\n" + euroc_rows(NANOSECONDS, ",0.1,0.2"),
    "tum-vi": f"{TUM_VI}\n" + euroc_rows(NANOSECONDS),
    "tum-vi from 0": f"{TUM_VI}\n" + euroc_rows([5_000_000 * i for i in range(5)]),
    "euroc without a header": euroc_rows(NANOSECONDS),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_every_format_gives_the_same_poses(tmp_path, kind) -> None:
    (tmp_path / "poses").write_text(TEXTS[kind])
    found = read_trajectory(tmp_path / "poses")
    np.testing.assert_allclose(found.poses, POSES, atol=1e-9)
    assert found.indices.tolist() == [0, 1, 2, 3, 4]
    timed = not ("kitti" in kind or "4x4" in kind or "frame" in kind)
    assert (found.timestamps is not None) == timed
    assert found.provenance.numbered == ("frame" in kind)
    if timed:
        step = 0.005 if "from 0" in kind else 0.05
        np.testing.assert_allclose(found.timestamps - found.timestamps[0], step * np.arange(5), atol=1e-6)
    nanoseconds = "nano" in kind or "euroc" in kind or "tum-vi" in kind
    assert any("nanoseconds" in note for note in found.provenance.notes) == nanoseconds


@pytest.mark.parametrize("shape", [(5, 4, 4), (5, 3, 4), (5, 12), (5, 16)])
def test_poses_of_an_array_file(tmp_path, shape) -> None:
    array = POSES if shape[1] in (4, 16) else POSES[:, :3]
    np.save(tmp_path / "poses.npy", array.reshape(shape))
    np.testing.assert_allclose(read_trajectory(tmp_path / "poses.npy").poses, POSES, atol=1e-12)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([{"run": "code"}], dtype=object), "no plain numbers"),
        (np.zeros((3, 5)), r"5 columns"),
        (np.zeros((3, 2, 4)), r"an array \(3, 2, 4\)"),
        (np.zeros((0, 4, 4)), "no poses"),
        (POSES.transpose(0, 2, 1), r"pose 0: .*transpose"),
        (POSES * np.array([1, 1, 2, 1])[:, None], r"pose 0: the 3x3 part is no rotation"),
    ],
)
def test_arrays_of_something_else_are_refused(tmp_path, array, message) -> None:
    np.save(tmp_path / "poses.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=rf"poses\.npy: .*{message}"):
        read_trajectory(tmp_path / "poses.npy")
    np.savez(tmp_path / "poses.npz", POSES)
    with pytest.raises(InputError, match=r"save its poses .* as one \.npy"):
        read_trajectory(tmp_path / "poses.npz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (tum_rows([0, 1, 2, 3, 4], separator=","), r"no header that says where the quaternion's w is"),
        ("# t z y x qw qx qy qz\n" + tum_rows([0, 1, 2, 3, 4]), r"put the time first, then x, y, z"),
        ("# a\n# t x y z q0 q1 q2 q3\n" + tum_rows([0, 1, 2, 3, 4]), r":2: q0 to q3 do not tell which of them is w"),
        ("t,x,y,z,q0,q1,q2,q3\n" + tum_rows([0, 1, 2, 3, 4], separator=","), r":1: q0 to q3 do not tell"),
        (tum_rows([0, 1, 2, 3, 4], XYZW * 0.5), r":1: the quaternion has length 0\.5"),
        ("".join(row(*m.T.ravel()) for m in POSES), r":1: .*column by column"),
        (TEXTS["kitti"].replace("\n", "\n\n", 1), r":2: an empty line between the rows"),
        (TEXTS["kitti"].replace("\n", " 1 2 3\n"), r":1: 15 columns; .*EuRoC"),
        ("x y z\n" + TEXTS["kitti"], r":1: not a number"),
    ],
)
def test_text_that_could_be_read_wrong_is_refused(tmp_path, text, message) -> None:
    (tmp_path / "poses.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        read_trajectory(tmp_path / "poses.txt")


def test_quaternions_of_zeros_are_named(tmp_path) -> None:
    lost = XYZW.copy()
    lost[[1, 3]] = 0
    (tmp_path / "poses.txt").write_text(tum_rows([0, 0.1, 0.2, 0.3, 0.4], lost))
    found = read_trajectory(tmp_path / "poses.txt")
    assert (found.indices.tolist(), found.dropped, found.provenance.oriented) == ([0, 2, 4], 2, True)
    assert found.provenance.notes[0].endswith(
        "poses.txt:2: the quaternion is 0 0 0 0, as in 2 rows in all; these poses are left out"
    )
    (tmp_path / "poses.txt").write_text(tum_rows([0, 0.1, 0.2, 0.3, 0.4], lost * 0))
    found = read_trajectory(tmp_path / "poses.txt")
    np.testing.assert_allclose(found.positions, POSES[:, :3, 3])
    assert not found.provenance.oriented
    assert "all 5 quaternions are 0 0 0 0" in found.provenance.notes[0]


@pytest.mark.parametrize(("first", "others"), [("0 0 0 1", "0 0 0 0"), ("nan nan nan nan", "nan nan nan nan")])
def test_few_quaternions_that_are_all_the_same_are_none(tmp_path, first, others) -> None:
    rows = [f"{k} {k} 0 {k * k} {others if k else first}\n" for k in range(12)]
    (tmp_path / "poses.txt").write_text("".join(rows))
    found = read_trajectory(tmp_path / "poses.txt")
    assert (len(found), found.dropped, found.provenance.oriented) == (12, 0, False)
    torch.testing.assert_close(found.positions[:, 2], torch.arange(12.0, dtype=torch.float64) ** 2)
    torch.testing.assert_close(found.poses[:, :3, :3], torch.eye(3, dtype=torch.float64).expand(12, 3, 3))
    kinds = "11 quaternions are 0 0 0 0, and the other 1 one and the same" if first != others else "are NaN"
    assert f"{kinds}, so it has positions alone" in found.provenance.notes[0]


@pytest.mark.parametrize("value", [0, np.nan])
@pytest.mark.parametrize("form", ["npy", "kitti", "numbered", "4x4", "array"])
def test_matrices_without_rotations_have_positions_alone(tmp_path, value, form) -> None:
    poses, path = POSES.copy(), tmp_path / "poses"
    poses[:, :3, :3] = value
    if form == "npy":
        path = tmp_path / "poses.npy"
        np.save(path, poses)
    texts = {"kitti": poses[:, :3], "4x4": poses}
    rows = [row(*matrix.ravel()) for matrix in texts.get(form, poses[:, :3])]
    if form != "npy":
        path.write_text("".join(f"{k} {line}" if form == "numbered" else line for k, line in enumerate(rows)))
    found = as_trajectory(poses if form == "array" else path)
    assert (len(found), found.dropped, found.provenance.oriented) == (5, 0, False)
    np.testing.assert_allclose(found.positions, POSES[:, :3, 3])
    assert "all rotations are zeros or NaN, so it has positions alone" in found.provenance.notes[0]


def test_the_order_of_quaternions_beside_nanoseconds_is_said(tmp_path) -> None:
    (tmp_path / "poses.txt").write_text(TEXTS["tum in nanoseconds"])
    notes = read_trajectory(tmp_path / "poses.txt").provenance.notes
    assert any("nothing names the order of the quaternion, which is taken for x y z w" in note for note in notes)
    (tmp_path / "poses.txt").write_text("# t x y z qx qy qz qw\n" + TEXTS["tum in nanoseconds"])
    assert len(read_trajectory(tmp_path / "poses.txt").provenance.notes) == 1
    (tmp_path / "poses.csv").write_text(TEXTS["euroc without a header"])
    assert "taken for EuRoC's w x y z" in read_trajectory(tmp_path / "poses.csv").provenance.notes[-1]


def test_rows_out_of_order_are_numbered_by_time_and_said(tmp_path) -> None:
    lines = tum_rows([0, 0.1, 0.2, 0.3, 0.4]).splitlines(keepends=True)
    (tmp_path / "poses.txt").write_text("".join(lines[i] for i in (0, 3, 1, 2, 4)))
    found = read_trajectory(tmp_path / "poses.txt")
    np.testing.assert_allclose(found.poses, POSES, atol=1e-9)
    assert found.indices.tolist() == [0, 1, 2, 3, 4]
    assert "put in order" in found.provenance.notes[0]


def test_states_of_an_imu_are_said_not_to_be_a_cameras(tmp_path):
    for name, body in (("euroc", True), ("tum-vi", False)):
        (tmp_path / "data.csv").write_text(TEXTS[name])
        notes = read_trajectory(tmp_path / "data.csv").provenance.notes
        assert any("poses of the body" in note for note in notes) is body


@pytest.mark.parametrize("format", ["kitti", "tum", "euroc"])
def test_what_is_written_reads_back(tmp_path, format) -> None:
    written = Trajectory(POSES, EPOCH / 1e9 + np.arange(5) / 20)
    written.write(tmp_path / "poses", format)
    again = read_trajectory(tmp_path / "poses")
    torch.testing.assert_close(again.poses, written.poses, atol=1e-12, rtol=0)
    if format != "kitti":
        torch.testing.assert_close(again.timestamps, written.timestamps, atol=1e-6, rtol=0)
    if format == "euroc":
        fields = (tmp_path / "poses").read_text().splitlines()[2].split(",")
        assert abs(int(fields[0]) - NANOSECONDS[1]) < 1000
        np.testing.assert_allclose(np.abs(np.array(fields[4:], float)), np.abs(np.roll(XYZW[1], 1)), atol=1e-12)
    with pytest.raises(InputError, match="no timestamps"):
        Trajectory(POSES).write(tmp_path / "poses", "euroc")


@pytest.mark.parametrize(
    ("first", "step", "unit"),
    [
        (1403715273, 0.1, "seconds"),
        (0, 1, "seconds"),
        (0, 2, "seconds"),
        (1403715273e3, 33, "milliseconds"),
        (1403715273e6, 33333, "microseconds"),
        (1403715273e9, 33333333, "nanoseconds"),
        (0, 33333333, "nanoseconds"),
        (1500e9, 33333333, "nanoseconds"),
    ],
)
def test_units_of_times(first, step, unit) -> None:
    assert unit_of(first + step * torch.arange(20, dtype=torch.float64)) == unit


def test_files_of_times(tmp_path) -> None:
    file = tmp_path / "times.txt"
    file.write_text("# frames\n0.0e+00\n1.036e-01\n\n2.074e-01\n")
    assert read_times(file).seconds.tolist() == [0, 0.1036, 0.2074]
    file.write_text("#timestamp [ns],filename\n1403715273262142976,a.png\n1403715273312143104,b.png\n")
    clock = read_times(file)
    assert (clock.unit, clock.seconds.tolist()) == (
        "nanoseconds",
        pytest.approx([1403715273.262143, 1403715273.312143]),
    )
    for text, message in (
        ("0\nx\n", r"times\.txt:2: not a time"),
        ("0\nnan\n", r"times\.txt:2: not a time"),
        ("0 1 2 3 0 0 0 1\n", r"times\.txt:1: not a time"),
        ("0\n1\n1\n", r"times\.txt:3: the time is not after"),
        ("\n", "no times"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            read_times(file)
