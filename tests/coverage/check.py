# SPDX-License-Identifier: MIT
"""Holds recorded traffic against the published specification.

    check.py DIRECTORY [SPECIFICATION]

Every message that taud sent must be legal, and every request of tau-cli. What the specification
states must have happened: each operation and status, each value of each enum, each transition of a
session, each limit at its edge. Prints how often each did, names what is wrong or missing with its
line in specification.json, and then ends with 1.

`TAU_TRAFFIC_DIR=DIRECTORY ctest --test-dir BUILD` records what taud and tau-cli say in all tests
that start them: of each connection the first 24 MiB, of each taud 64 MiB, of each tau-cli 2 MiB.
What a server that a test plays says to tau-cli may be broken on purpose; it counts for what only
clients can meet.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Sequence

from published import Specification
from session import judge, watch
from tally import Tally, items
from traffic import read_file

PUBLISHED = Path(__file__).resolve().parents[2] / "protocol" / "published" / "specification.json"
PROBLEMS_SHOWN = 50


def judge_files(specification: Path, paths: Sequence[Path]) -> Tally:
    """What the traffic of some processes shows."""
    tally = Tally(Specification(specification))
    for path in paths:
        for connection in read_file(path):
            (watch if connection.played else judge)(tally, connection)
    return tally


def take_in(specification: Path, folder: Path) -> Tally:
    """Judges everything that was recorded in a folder, dealt out by size to all processors."""
    paths = sorted(folder.glob("*.traffic"), key=lambda path: path.stat().st_size, reverse=True)
    jobs = os.cpu_count() or 1
    tally = Tally(Specification(specification))
    with ProcessPoolExecutor(jobs) as pool:
        for done in [pool.submit(judge_files, specification, paths[n::jobs]) for n in range(jobs)]:
            tally.add(done.result())
    return tally


def table(tally: Tally) -> str:
    """How often each item was exercised, by section."""
    lines = [f"{tally.messages} messages of {tally.connections} connections"]
    for section, group in groupby(items(tally.model), lambda item: item.section):
        rows = list(group)
        done = sum(tally.of(item) > 0 for item in rows)
        lines += ["", f"{section}: {done} of {len(rows)}"]
        lines += [f"{tally.of(item):>10}  {item.name}" for item in rows]
    return "\n".join(lines)


def findings(tally: Tally) -> list[str]:
    """What is wrong, then what is missing."""
    shown = [f"invalid message: {problem}" for problem in tally.problems[:PROBLEMS_SHOWN]]
    if len(tally.problems) > len(shown):
        shown.append(f"{len(tally.problems) - len(shown)} more connections have invalid messages")
    return shown + [f"{tally.model.path.name}:{gap.line}: {gap.section} never exercised: {gap.name}"
                    for gap in tally.gaps()]


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2) or not Path(arguments[0]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    specification = Path(arguments[1]) if len(arguments) == 2 else PUBLISHED
    tally = take_in(specification, Path(arguments[0]))
    print(table(tally))
    wrong = findings(tally)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"\n{len(tally.problems)} invalid, {len(tally.gaps())} never exercised")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
