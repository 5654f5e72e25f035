"""RunFolder: the one reader and writer of what a training run leaves.

config.json                        everything that decides the run, with its version and family
data.json                          what it was trained on
flow.safetensors, depth..., pose...    the weights
checkpoints/00000200.pt            to resume from
best/                              the weights of the lowest validation loss, a run folder of its own
log.jsonl, tensorboard/, results.json

Weights that ship with the package are run folders in vode/weights, taken by their names; a card.md tells of each.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from vode.errors import InputError, one_line
from vode.io.atomic import make_folder, write_bytes
from vode.io.dataclass_json import from_plain, to_plain
from vode.io.text import parse_json
from vode.run_migration import VERSION, migrated

if TYPE_CHECKING:
    import torch
    from torch import nn

    from vode.networks.weights import Network

SHIPPED = Path(__file__).parent / "weights"
"""folder of the weights that ship with the package"""
BESIDE = "vode-small"
"""the shipped weights that stand in for a network that a run or another system lacks"""
CONFIG, DATA, RESULTS, BEST, CHECKPOINTS = "config.json", "data.json", "results.json", "best", "checkpoints"
CARDS = ("README.md", "card.md")
"""what tells of the weights: beside a model that was saved, and beside shipped weights"""


class Config(Protocol):
    """The configuration of a family of runs, a dataclass."""

    family: ClassVar[str]


C = TypeVar("C", bound=Config)
N = TypeVar("N", bound="Network")


class RunFolder:
    """The folder of a run. InputError names the file that is missing, damaged, or of another kind."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def holds_run(self) -> bool:
        """Whether there is a run in the folder."""
        return (self.path / CONFIG).exists()

    @property
    def is_shipped(self) -> bool:
        """Whether it is part of the package, which nothing is written into."""
        return self.path.resolve().parent == SHIPPED.resolve()

    def output(self, name: str) -> Path:
        """Where what is made with the run goes by default: a folder in it, or in runs/shipped for shipped weights."""
        return (Path("runs") / "shipped" / self.path.name if self.is_shipped else self.path) / name

    @property
    def checkpoints(self) -> Path:
        """Folder of the files that the run is resumed from."""
        return self.path / CHECKPOINTS

    @property
    def best(self) -> RunFolder:
        """The weights of the lowest validation loss, as a run of its own."""
        return RunFolder(self.path / BEST)

    def family(self) -> str:
        """What the run learns: "video" or "relocalization"."""
        return self._config()["family"]

    def read_config(self, kind: type[C]) -> C:
        """The configuration, of the family's type ``kind``; an older version is migrated."""
        values, path = self._config(), self.path / CONFIG
        family = values.pop("family")
        if family != kind.family:
            raise InputError(f"{path}: a run of the family {family}; one of {kind.family} is needed here")
        try:
            return from_plain(kind, values)
        except (TypeError, ValueError, ArithmeticError, InputError) as error:
            raise InputError(f"{path}: {one_line(error)}; correct the file, or train again") from error

    def write_config(self, config: Config) -> None:
        """Write the configuration, a RunConfig, in today's version."""
        content = {"version": VERSION, "family": config.family} | to_plain(config)
        write_bytes(make_folder(self.path) / CONFIG, json.dumps(content, indent=1).encode())

    def has_network(self, network_class: type[Network]) -> bool:
        """Whether the weights of a network of that class are there."""
        return (self.path / f"{network_class.kind}.safetensors").is_file()

    def load_network(self, network_class: type[N], device: torch.device | str = "cpu") -> N:
        """The network of that class, in evaluation mode."""
        from vode.networks.weights import load_weights

        return load_weights(self.path / f"{network_class.kind}.safetensors", network_class, device)

    def load_start(self, network_class: type[N], asked: Any, name: str) -> N:
        """The network of that class, to train on.

        ``asked`` are the options that a new run asks for, in its field ``name``: InputError if they are neither the
        defaults nor those of the network that is there.
        """
        from vode.networks.weights import without_start

        network = self.load_network(network_class)
        known = without_start(network_class.options_class()), without_start(network.options)
        if without_start(asked) not in known:
            shown = self.path.name if self.is_shipped else self
            raise InputError(
                f"{shown}: options cannot change its {name} network; leave them out, or set start_from to None for new "
                "networks",
                name,
                "start_from",
            )
        return network

    def write_weights(self, networks: Mapping[str, nn.Module] | nn.ModuleDict, *, half: bool = False) -> None:
        """The weights of all that are networks; ``half``: in 16 bits."""
        from vode.networks.weights import Network, weights_bytes

        for network in networks.values():
            if isinstance(network, Network):
                write_bytes(make_folder(self.path) / f"{network.kind}.safetensors", weights_bytes(network, half=half))

    def write_card(self, text: str, source: str = "") -> None:
        """Write README.md, with the card of the run or shipped weights ``source`` after it, and what came with them.

        Copied are its record of training data, and the notices and licences of its weights.
        """
        before = RunFolder(source) if Path(source, CONFIG).is_file() else RunFolder(SHIPPED / (source or "none"))
        cards = [before.path / name for name in CARDS if source and (before.path / name).is_file()]
        texts = [text, *(card.read_text("utf-8") for card in cards[:1])]
        write_bytes(make_folder(self.path) / CARDS[0], "\n".join(texts).encode())
        if before.holds_run:
            for file in (before.path / DATA, before.path / "NOTICE", *sorted(before.path.glob("LICENSE*"))):
                if file.is_file():
                    write_bytes(self.path / file.name, file.read_bytes())

    def licence(self) -> str:
        """What the card of the weights says of their licence."""
        for card in (self.path / name for name in CARDS):
            lines = card.read_text("utf-8").splitlines() if card.is_file() else []
            rows = [line for line in lines if line.lower().startswith("| licence |")]
            if rows:
                return rows[0].split("|")[2].strip()
        return "that of the weights, which their folder does not tell"

    def write_best(self, networks: Mapping[str, nn.Module] | nn.ModuleDict) -> None:
        """Keep the weights as they are now in a run folder of its own."""
        self.best.write_weights(networks)
        for name in (CONFIG, DATA):
            if (self.path / name).is_file():
                shutil.copyfile(self.path / name, self.best.path / name)

    def write_data(self, dataset: str, sequences: Iterable[str], kitti_drives: Iterable[str]) -> None:
        """Write down what the run trains on, and the KITTI drives that it or its start has seen."""
        content = {"dataset": dataset, "sequences": tuple(sequences), "kitti_drives": sorted(kitti_drives)}
        write_bytes(make_folder(self.path) / DATA, json.dumps(content, indent=1).encode())

    def kitti_drives(self) -> frozenset[str]:
        """The drives of KITTI raw that the run's networks were trained on; none if that was not written down."""
        path = self.path / DATA
        if not path.is_file():
            return frozenset()
        try:
            return frozenset(map(str, parse_json(path.read_text("utf-8"))["kitti_drives"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a record of training data ({error}); copy the run again") from None

    def write_results(self, results: Mapping[str, float | None]) -> None:
        """Write the scores of the finished run."""
        write_bytes(self.path / RESULTS, json.dumps(results, indent=1).encode())

    def _config(self) -> dict[str, Any]:
        """The values of the configuration in today's version, with the family."""
        path = self.path / CONFIG
        try:
            values = parse_json(path.read_text("utf-8"))
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); name the folder of a run") from error
        except ValueError as error:
            raise InputError(f"{path}: not JSON ({error}); copy the run again") from error
        return migrated(values, path)


def shipped_names() -> tuple[str, ...]:
    """The names of the weights that ship with the package."""
    return tuple(sorted(file.parent.name for file in SHIPPED.glob(f"*/{CONFIG}")))


def find_run(source: Path | str) -> RunFolder:
    """The run in a folder, or shipped weights by their name; a run that is there wins. InputError lists the names."""
    folder = RunFolder(source)
    if not folder.holds_run and str(source) in shipped_names():
        return RunFolder(SHIPPED / source)
    if not folder.path.exists():
        names = ", ".join(shipped_names()) or "none"
        raise InputError(f"{source}: no such run, nor shipped weights of that name; shipped are {names}")
    return folder
