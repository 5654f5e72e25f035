"""Sets that lack files: refused, or scored in part and said."""

from pathlib import Path

import pytest

from vode.errors import InputError
from vode.evaluation.completeness import complete


class Entries:
    """Six entries, some of them gone."""

    name = "set"

    def __init__(self, gone=()):
        self.gone = gone

    def __len__(self):
        return 6

    def missing(self):
        return {i: Path(f"drive/{i}.png") for i in self.gone}


def test_missing_files_need_to_be_allowed():
    assert complete(Entries()) == ([0, 1, 2, 3, 4, 5], ())
    with pytest.raises(InputError, match=r"drive/2\.png: no such file; 2 of the 6 of set .*allow_missing"):
        complete(Entries(gone=(2, 5)))
    chosen, notes = complete(Entries(gone=(2, 5)), allow_missing=True)
    assert chosen == [0, 1, 3, 4]
    assert notes == ("2 of the 6 of set are missing: first drive/2.png",)
    with pytest.raises(InputError, match="not one of the 6 of set is there"):
        complete(Entries(gone=range(6)), allow_missing=True)
