"""Damaged inputs for every parser: each ends in a result or in an InputError of one line, or counts as a fault.

Other exceptions, crashes, more than 5 s of processor time or a minute of waiting, and more than 1 GiB of memory are
faults; an input of each kind of fault is kept under --keep.

python benchmarks/fuzz.py [--inputs 10000] [--parser NAME ...] [--seed 0] [--keep DIR]
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from fuzzing.parsers import PARSERS
from fuzzing.trial import Trials
from report import machine, table

SECONDS = 5.0
"""of the processor for one input"""
WAIT = 60.0
"""seconds for one input that waits"""
LIMIT = 8 * 2**30
"""bytes that a process may take in all, for the machine's sake"""


def main() -> None:
    """Print a line a parser, and a table."""
    arguments = _arguments()
    rows = []
    for name in arguments.parser or PARSERS:
        keep = arguments.keep / name.replace(" ", "_")
        results, refused, faults = _fuzz(name, arguments.inputs, arguments.seed, keep)
        rows.append([name, results + refused + faults.total(), results, refused, faults.total()])
        print(*rows[-1], *(f"\n  {count} x {what}" for what, count in faults.items()), flush=True)
    print(machine(), table(["parser", "inputs", "results", "refused", "faults"], rows), sep="\n\n")
    sys.exit(any(row[-1] for row in rows))


def _fuzz(name: str, inputs: int, seed: int, keep: Path) -> tuple[int, int, Counter[str]]:
    """Numbers of results and refusals, and the faults, of one parser, in processes of which each goes on after one."""
    results, refused, faults = 0, 0, Counter[str]()
    while (left := inputs - results - refused - faults.total()) > 0:
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
            scratch = Path(folder)
            process = os.fork()
            if not process:
                _work(name, left, seed, scratch)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            told = (scratch / "errors").read_text(errors="replace")
            counts = json.loads((scratch / "counts").read_text()) if (scratch / "counts").exists() else (0, 0, {})
            results, refused, faults = results + counts[0], refused + counts[1], faults + Counter(counts[2])
            if status:
                if not list(scratch.glob("input*")):
                    sys.exit(f"{name}: {told[-2000:]}")
                where = next((line.strip() for line in told.splitlines() if "/vode/" in line), "")
                faults[f"ended with {status}: {where}"] += 1
            for found in [*scratch.glob("faults/*"), *scratch.glob("input*")]:
                shutil.copytree(found, keep / f"{seed}_{found.name}", dirs_exist_ok=True)
        seed += 1
    return results, refused, faults


def _work(name: str, inputs: int, seed: int, scratch: Path) -> None:
    """In a process of its own: so many inputs, until one ends it; the counts so far are kept in a file."""
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        log = os.open(scratch / "errors", os.O_CREAT | os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(log, stream)
        faulthandler.enable(2)
        # by default this signal ends the process, wherever it is
        faulthandler.register(signal.SIGPROF, 2, chain=True)
        Watched(PARSERS[name], scratch).run(inputs, seed)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class Watched(Trials):
    """Trials that end the process at the first input that takes too long."""

    def attempt_in(self, folder: Path) -> None:
        os.ftruncate(2, 0)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        faulthandler.dump_traceback_later(WAIT, exit=True, file=2)
        super().attempt_in(folder)
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
        (self.scratch / "counts").write_text(json.dumps([self.results, self.refused, self.faults]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10000, help="of each parser")
    parser.add_argument("--parser", nargs="+", help="names; all without it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"), help="folder of the inputs that made faults")
    return parser.parse_args()


if __name__ == "__main__":
    main()
