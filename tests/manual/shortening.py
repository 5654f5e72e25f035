"""What is put in place of words that stand for something, and behind a command to make it short."""

from __future__ import annotations

from vode.recipes import recipe
from vode.relocalization.config import RelocalizationConfig
from vode.training.config import RunConfig

STANDS_FOR = {
    "...": "walk --dataset folder --fov 65",
    "s3://BUCKET/SHARDS": "memory://BUCKET/SHARDS",
    # positions in a video that is not as long as that of the page
    "140": "4",
    "310": "4",
}
SHORTER = {
    "bench": "--samples 2 --batch 1 --seeds 0 --size 64 96 --world.frames 3 --sequences 0 --test 5 --points 1",
    "data check": "--workers 1",
    "export": "--size 64 96 --networks depth",
    "prepare": "--size 64 96 --workers 1",
    "scene build": "--step 1 --features 600 --workers 1",
    "world": "--size 64 96 --frames 3",
}
"""options by verb"""
SHORTER_WITH = {
    # three frames of these lists are there
    ("depth", "kitti-eigen"): "--allow-missing",
    ("depth", "kitti-eigen-benchmark"): "--allow-missing",
    ("run", "--adapt"): "--adapt 0.01",
    ("run", "demo"): "--limit 3",
    ("import", "last.pth"): "--size 64 192",
    # all show the same
    ("odom", "02"): "--sequences 00 10",
    # random weights find no motion, and what stands still cannot be aligned
    ("odom", "runs/trianflow"): "--alignment none",
    ("odom", "runs/released"): "--alignment none",
}
"""options by the verb and a word of the command"""
SIZE = "64 96"
BLIND = "--size 48 48 --views.resize 64 --views.block 2 --pose.features 32 --precision float32"
"""for networks that see where they are"""


def shortened(arguments: list[str]) -> list[str]:
    """The arguments with what stands for something replaced, and with options that make it short."""
    words = [part for word in arguments for part in STANDS_FOR.get(word, word).split(" ")]
    if "--help" in words:
        return words
    if words[0] == "train":
        return [*words, *_short_training(words[1:]).split()]
    verb = next(verb for verb in (" ".join(words[:2]), words[0]) if verb in SHORTER or verb == words[0])
    extra = [
        SHORTER.get(verb, ""),
        *(more for (of, word), more in SHORTER_WITH.items() if of == verb and word in words),
    ]
    return [*words, *" ".join(extra).split()]


def _short_training(words: list[str]) -> str:
    """A step a stage, of one sample of little images."""
    config = recipe(words[0] if words and not words[0].startswith("-") else "world")
    dataset = words[words.index("--dataset") + 1] if "--dataset" in words else config.dataset
    blind = isinstance(config, RelocalizationConfig)
    stages = [f"--{name}-stage.steps 1" for name in _stages(config) if _value(words, f"--{name}-stage.steps") != "0"]
    options = [*stages, "--batch 2" if blind else "--batch 1", "--workers 0", BLIND if blind else f"--size {SIZE}"]
    if "weights='imagenet'" in repr(config):
        # which would be downloaded
        options.append("--depth.encoder-weights none")
    if dataset in ("world", "kitti-odom") and not blind:
        # pages score such runs by their next commands
        options.append("--no-score-at-end")
    if dataset == "world":
        options.append("--sequences 0 --world.frames 10" if blind else "--sequences 0 --world.frames 4")
    if "tum" in words:
        options.append("--stride 2")
    if "adapt" in words:
        options.append("--minutes 0 --clip-length 2 --clip-stride 1")
    return " ".join(options)


def _stages(config: RunConfig) -> list[str]:
    return [name for name, _ in config.plan()]


def _value(words: list[str], option: str) -> str | None:
    return words[words.index(option) + 1] if option in words else None
