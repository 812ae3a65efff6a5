# SPDX-License-Identifier: MIT
# ctest: timeout=900
"""Real data: every file of the Numenta Anomaly Benchmark in, out again, and the same bit for bit.

The folder is TAU_NAB_DIR, else ../shared/data/nab beside the source tree; without it this is
skipped.
"""

from __future__ import annotations

import csv
import datetime
import os
import re
import struct
import sys
import unittest
from pathlib import Path

from tau_cli import OK, PARTIAL, Cli, Server, lines
from tau_server import SOURCE_DIR

NAB = Path(os.environ.get("TAU_NAB_DIR", SOURCE_DIR.parent / "shared" / "data" / "nab"))
EPOCH = datetime.datetime(1970, 1, 1)


def nanoseconds(text: str) -> int:
    delta = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S") - EPOCH
    return (delta.days * 86400 + delta.seconds) * 10**9


def bits(value: str) -> int:
    found: int = struct.unpack(">Q", struct.pack(">d", float(value)))[0]
    return found


def expected(path: Path) -> tuple[list[tuple[int, int]], list[int]]:
    """The points that must be stored, and the lines that must be refused: every line that is not
    later than all before it, so after a jump back all that only catch up."""
    points: list[tuple[int, int]] = []
    refused: list[int] = []
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            point = nanoseconds(row[0]), bits(row[1])
            if points and point[0] <= points[-1][0]:
                refused.append(rows.line_num)
            else:
                points.append(point)
    return points, refused


class Nab(unittest.TestCase):
    def test_identity(self) -> None:
        files = sorted(NAB.glob("*/*.csv"))
        self.assertEqual(len(files), 58)
        refused_files = refused_total = points_total = 0
        with Server() as server, Server() as second:
            cli, again = Cli(server), Cli(second)
            for number, path in enumerate(files):
                series = f"nab.{number}"
                points, refused = expected(path)
                done = cli.run("import", "--series", series, path)
                self.assertEqual(done.returncode, PARTIAL if refused else OK, done)
                self.assertRegex(done.stdout.decode(),
                                 rf"^{len(points)} accepted, {len(refused)} rejected, ")
                reported = [int(m) for m in re.findall(rf"(?m)^{re.escape(str(path))}:(\d+): ",
                                                       done.stderr.decode())]
                self.assertEqual(reported, refused)
                with server.connect() as raw:
                    self.assertEqual(raw.query_range(series.encode().ljust(32, b"\0")), points)
                exported = cli.ok("export", series)
                rows = list(csv.reader(lines(exported)))[1:]
                self.assertEqual([bits(row[2]) for row in rows], [v for _, v in points])
                again.ok("import", "-", stdin=exported)
                self.assertEqual(again.ok("export", series), exported)
                refused_files += bool(refused)
                refused_total += len(refused)
                points_total += len(points)
        print(f"{points_total} points, {refused_total} lines refused in {refused_files} files")
        self.assertEqual(points_total + refused_total, 365_558)
        self.assertEqual(refused_files, 8)

    def test_stems(self) -> None:
        """All files at once, each under its own name; those of over 32 bytes are named."""
        files = sorted(NAB.glob("*/*.csv"))
        with Server() as server:
            cli = Cli(server)
            done = cli.run("import", *files)
            self.assertEqual(done.returncode, PARTIAL)
            too_long = [p for p in files if len(p.stem.encode()) > 32]
            for path in too_long:
                self.assertIn(f"{path}: `{path.stem}` has", done.stderr.decode())
            listed = lines(cli.ok("list"))[1:]
            self.assertEqual(sorted(listed),
                             sorted({p.stem for p in files if p not in too_long}))


if __name__ == "__main__":
    if not NAB.is_dir():
        print(f"skipped: the data folder {NAB} is not there (TAU_NAB_DIR names another)")
        sys.exit(77)
    unittest.main(verbosity=2)
