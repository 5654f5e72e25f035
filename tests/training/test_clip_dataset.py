"""Clips: which frames, in which size, with ground truth that agrees with itself."""

import pytest
import torch

from vode.augmentation.options import Augment
from vode.datasets.base import Capability, Sequence, known, noted
from vode.datasets.sample import collate
from vode.errors import InputError
from vode.geometry.camera import pixel_grid, project, transform, unproject
from vode.geometry.resize import resize_flow
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.sampler import Blocks
from vode.world import sequence as world
from vode.world.kept import Kept
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (48, 96)
STEP = torch.tensor([0.4, -0.1, 0.5], dtype=torch.float64)


class Wall(Sequence):
    """A camera that slides towards a flat wall, with exact flow; frame i is filled with i / 255."""

    def __init__(self, name: str, count: int, *, size=SIZE, ground_truth: bool = True) -> None:
        self.name, self.count, self.size, self.ground_truth = name, count, size, ground_truth
        self.intrinsics = torch.tensor([[60.0, 0, 50.0], [0, 55.0, 20.0], [0, 0, 1]])
        if ground_truth:
            self.capabilities = known(poses=True, depth=True, flow=True, flow_back=True)
            self.poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
            self.poses[:, :3, 3] = torch.arange(count)[:, None] * STEP + 7
        self.timestamps = None

    def __len__(self) -> int:
        return self.count

    def frame(self, index):
        return torch.full((3, *self.size), index / 255)

    def depth(self, index):
        return torch.full((1, *self.size), 30 - 0.5 * index) if self.ground_truth else None

    def flow(self, index):
        return self._flow(index, STEP.float()) if self.ground_truth and index < self.count - 1 else None

    def flow_back(self, index):
        return self._flow(index + 1, -STEP.float()) if self.ground_truth and index < self.count - 1 else None

    def _flow(self, index, step):
        points = unproject(self.depth(index)[None], self.intrinsics[None]).flatten(2).mT - step
        target = project(points, self.intrinsics)[0][0].mT.view(2, *self.size)
        return target - pixel_grid(*self.size), torch.ones(1, *self.size, dtype=torch.bool)


def frames_of(sample) -> list[int]:
    return (sample["images"][:, 0, 0, 0] * 255).round().int().tolist()


def test_every_run_of_frames_of_every_sequence():
    clips = ClipDataset([Wall("a", 4), Wall("b", 2), Wall("c", 5)], ClipShape(3, 1))
    assert len(clips) == 2 + 0 + 3
    assert [frames_of(clips[i]) for i in range(5)] == [
        [0, 1, 2],
        [1, 2, 3],
        [0, 1, 2],
        [1, 2, 3],
        [2, 3, 4],
    ]
    assert [clips.locate(i)[0].name for i in range(5)] == ["a", "a", "c", "c", "c"]
    with pytest.raises(IndexError):
        clips[5]


def test_stride():
    clips = ClipDataset([Wall("a", 7)], ClipShape(3, 2))
    assert [frames_of(clips[i]) for i in range(len(clips))] == [[0, 2, 4], [1, 3, 5], [2, 4, 6]]
    assert set(ClipDataset([Wall("a", 7)], ClipShape(stride=2), ground_truth=True)[0]) == {
        "images",
        "intrinsics",
        "depth",
        "poses",
    }


@pytest.mark.parametrize("size", [None, (24, 48), (30, 44), (96, 144)])
@pytest.mark.parametrize("flip", [0, 1])
def test_ground_truth_agrees_with_itself_in_any_size_and_flipped(size, flip):
    augment = Augment(flip=flip, brightness=0, contrast=0, saturation=0, hue=0, gamma=0)
    sample = ClipDataset([Wall("a", 4)], ClipShape(3), size=size, ground_truth=True, augment=augment)[1]
    height, width = size or SIZE
    assert sample["images"].shape == (3, 3, height, width)
    assert all(value.dtype == torch.float32 for value in sample.values())
    torch.testing.assert_close(sample["poses"][0], torch.eye(4))
    for i, this, other, key in ((0, 0, 1, "flow"), (1, 1, 2, "flow"), (0, 1, 0, "flow_back"), (1, 2, 1, "flow_back")):
        T_other_this = torch.linalg.inv(sample["poses"][other]) @ sample["poses"][this]
        points = unproject(sample["depth"][this : this + 1], sample["intrinsics"][None]).flatten(2).mT
        target = project(transform(T_other_this[None], points), sample["intrinsics"][None])[0][0]
        flow = target.mT.view(2, height, width) - pixel_grid(height, width)
        inner = (slice(None), slice(2, -2), slice(2, -2))
        torch.testing.assert_close(sample[key][i][inner], flow[inner], rtol=0, atol=2e-3)


def test_images_are_smoothed_when_shrunk():
    sequence = Wall("a", 2)
    sequence.frame = lambda index: ((pixel_grid(*SIZE).sum(0) % 2) > 0).float().expand(3, -1, -1)
    image = ClipDataset([sequence], size=(24, 32))[0]["images"]
    assert image.sub(0.5).abs().max() < 0.1


def test_missing_ground_truth_is_unknown_and_lacking_ground_truth_is_left_out():
    sequence = Wall("a", 3)
    sequence.depth = lambda index: torch.ones(1, *SIZE) if index != 1 else None
    sequence.flow = lambda index: (torch.ones(2, *SIZE), torch.ones(1, *SIZE)) if index != 1 else None
    sequence.flow_back = lambda index: None
    sample = ClipDataset([sequence], ClipShape(3), ground_truth=True)[0]
    assert sample["depth"].amax(dim=(1, 2, 3)).tolist() == [1, 0, 1]
    assert sample["visible"].amax(dim=(1, 2, 3)).tolist() == [1, 0]
    assert not sample["flow_back"].any()
    mixed = ClipDataset([Wall("a", 3), Wall("b", 3, ground_truth=False)], ground_truth=True)
    assert set(collate([mixed[i] for i in range(len(mixed))])) == {"images", "intrinsics"}


def test_unknown_flow_takes_no_part_in_resizing():
    flow, visible = torch.zeros(1, 2, 4, 8), torch.zeros(1, 1, 4, 8)
    flow[..., 4:], visible[..., 4:] = 6.0, 1.0
    # The columns 0..3 are unknown; 4 and 5 are hidden but have a flow.
    visible[..., 4:6] = 0
    resized, seen = resize_flow(flow, visible, (3, 6))
    assert resized[0, 0, 0].tolist() == pytest.approx([0, 0, 0, 4.5, 4.5, 4.5])
    assert resized[0, 1, 0].tolist() == pytest.approx([0, 0, 0, 4.5, 4.5, 4.5])
    assert seen[0, 0, 0].tolist() == [0, 0, 0, 0, 1, 1]


def test_draw_alone_decides_the_augmentation():
    def clips(seed: int = 0) -> ClipDataset:
        return ClipDataset([Wall("a", 200)], augment=Augment(), seed=seed, size=(8, 8))

    first = clips()[100, 7]["images"]
    assert torch.equal(first, clips()[100, 7]["images"])
    assert not torch.equal(first, clips()[100, 8]["images"])
    assert not torch.equal(first, clips(1)[100, 7]["images"])
    assert torch.equal(clips()[100]["images"], clips()[100, 100]["images"])


def test_workers_change_nothing():
    clips = ClipDataset([Wall("a", 20)], augment=Augment(), size=(8, 8), ground_truth=True)
    order = [(i * 7 % 19, i) for i in range(8)]

    def load(workers: int):
        return list(torch.utils.data.DataLoader(clips, 2, sampler=order, collate_fn=collate, num_workers=workers))

    for here, there in zip(load(0), load(2), strict=True):
        assert all(torch.equal(here[key], there[key]) for key in here)


def test_unusable_input():
    with pytest.raises(InputError, match="b: 3 frames, too few for clips that span 5"):
        ClipDataset([Wall("a", 2), Wall("b", 3)], ClipShape(3, 2))
    with pytest.raises(InputError, match=r"differ in size .*b 10x8"):
        ClipDataset([Wall("a", 3), Wall("b", 3, size=(8, 10))])
    assert len(ClipDataset([Wall("a", 3), Wall("b", 3, size=(8, 10))], size=(8, 8))) == 4
    with pytest.raises(ValueError, match="at least 1"):
        ClipDataset([Wall("a", 3)], ClipShape(stride=0))
    with pytest.raises(ValueError, match="no sequences"):
        ClipDataset([])


def test_clips_begin_where_a_sequence_allows_it():
    wall = Wall("a", 6)
    wall.starts = (0, 3, 4, 5)
    clips = ClipDataset([Wall("b", 3), wall])
    assert [frames_of(clips[i]) for i in range(len(clips))] == [[0, 1], [1, 2], [0, 1], [3, 4], [4, 5]]
    wall.starts = ()
    with pytest.raises(InputError, match="too few"):
        ClipDataset([wall])


def test_notes_are_listed_and_many_of_them_counted():
    walls = [Wall(str(i), 2) for i in range(9)]
    assert noted(walls) == []
    for wall in walls:
        wall.notes = ("half of it is missing",)
    assert noted(walls[:2]) == ["0: half of it is missing", "1: half of it is missing"]
    assert noted(walls)[5:] == ["and 4 more notes; checking the data set tells all"]


def test_only_every_nth_frame_begins_a_clip():
    clips = ClipDataset([Wall("a", 8), Wall("b", 3)], ClipShape(2, 1, 3))
    assert [frames_of(clips[i]) for i in range(len(clips))] == [[0, 1], [3, 4], [6, 7], [0, 1]]


def test_some_ground_truth_can_be_asked_for():
    flow = ClipDataset([Wall("a", 3)], ground_truth={Capability.FLOW, Capability.FLOW_BACK})[0]
    assert flow.keys() == {"images", "intrinsics", "flow", "visible", "flow_back", "visible_back"}
    depth = ClipDataset([Wall("a", 3)], ClipShape(1), ground_truth={Capability.DEPTH, Capability.FLOW})[0]
    assert depth.keys() == {"images", "intrinsics", "depth"}


class Position(Wall):
    """A wall whose red and green tell the column and the row."""

    def frame(self, index):
        return torch.cat([pixel_grid(*self.size), torch.full((1, *self.size), float(index))]) / 255


def test_each_batch_is_cropped_to_one_shape_at_random_places():
    shapes = ((24, 96), (48, 48))
    clips = ClipDataset([Position("a", 40)], ground_truth=True, seed=2, raw=True).cropped(shapes, 4)
    batches = [collate([clips[i, 4 * k + i] for i in range(4)]) for k in range(4)]
    assert [tuple(batch["images"].shape[-2:]) for batch in batches] == [*shapes, *shapes]
    corners = set()
    for sample in (clips[i, i] for i in range(16)):
        left, top = (sample["images"][0, :2, 0, 0] * 255).round().tolist()
        corners.add((left, top))
        centre = torch.tensor([50.0 - left, 20.0 - top])
        torch.testing.assert_close(sample["intrinsics"][:2, 2], centre)
        assert sample["depth"].shape[-2:] == sample["flow_back"].shape[-2:] == sample["images"].shape[-2:]
        points = unproject(sample["depth"][:1], sample["intrinsics"][None]).flatten(2).mT - STEP.float()
        target = project(points, sample["intrinsics"][None])[0][0].mT.view(2, *sample["images"].shape[-2:])
        torch.testing.assert_close(target - pixel_grid(*target.shape[-2:]), sample["flow"][0], rtol=0, atol=2e-3)
    assert len(corners) > 6
    assert torch.equal(clips[3, 9]["images"], clips[3, 9]["images"])
    with pytest.raises(InputError, match="a crop of 96x49 from 96x48") as refusal:
        ClipDataset([Wall("a", 3)]).cropped(((49, 96),), 1)
    assert refusal.value.parameters == ("crops",)


@pytest.mark.parametrize(("block", "reuse"), [(6, 3), (20, 4)])
def test_kept_clips_are_read_once_and_are_those_that_are_read_anew(block, reuse):
    read = []

    class Counted(Wall):
        def depth(self, index):
            read.append((self.name, index))
            return super().depth(index)

    walls = [Counted(str(i), 4) for i in range(20 * block // 6)]
    plain = ClipDataset(walls, ClipShape(1), ground_truth={Capability.DEPTH}, raw=True)
    kept = plain.kept(block, reuse)
    order = Blocks(len(kept), 0, block, reuse)
    for draw in range(reuse * len(kept)):
        if draw == reuse * reuse * block:
            # the first draws are of the last blocks too, which come again at the end
            read.clear()
        found = kept[order(draw), draw]
        assert float(found["depth"][0, 0, 0, 0]) == 30 - 0.5 * (order(draw) % 4)
        assert len(kept._kept) <= (reuse + 1) * block
    assert len(read) == len(set(read)) == len(kept) - reuse * block
    varied = ClipDataset(walls, size=(24, 32), augment=Augment(crop=0.3), seed=1, ground_truth=True)
    for key, value in varied.kept(4, 2)[3, 5].items():
        assert value.shape == varied[3, 5][key].shape


def test_a_scene_is_set_up_once_for_all_clips_if_their_images_can_be_kept(monkeypatch):
    built, build = [], WorldSequence._build
    monkeypatch.setattr(WorldSequence, "_build", lambda self: built.append(self.seed) or build(self))
    monkeypatch.setattr(world, "_WORLDS", Kept(1))
    for room, times in (10**9, 2), (0, 6):
        monkeypatch.setattr(world, "_RESULTS", Kept(room))
        monkeypatch.setattr(world, "_LOOKS", Kept(0))
        sequences = [WorldSequence(seed, WorldOptions(size=(16, 48), frames=4)) for seed in range(2)]
        clips = ClipDataset(sequences)
        built.clear()
        drawn = [clips[number]["images"] for number in (0, 3, 1, 4, 2, 5)]
        assert len(built) == times
        assert torch.equal(drawn[3][1], sequences[1].frame(2))
