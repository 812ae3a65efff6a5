# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""The gate of the released layouts, proved by mutants of the real specification.

Every mutation that evolution_mutations.py generates must be classified as it is labelled and told
of at its line. What is called safe or additive must leave those who hold the release right: golden
vectors go through codecs of both models. The lock and the commands are tested at the end.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evolution_decode import Side, differences, misunderstandings, vectors_of
from evolution_mutations import Files, Mutation, Mutations
from specification import GENERATOR, ROOT

from taugen.check import check
from taugen.diff import Change, compare, report
from taugen.diff_rules import Class
from taugen.errors import SpecificationError
from taugen.lines import LineIndex
from taugen.lines import Path as Path_
from taugen.load import Source, Table
from taugen.lock import text_of
from taugen.lock_layout import Layout, layout_of, read
from taugen.model import Model
from taugen.resolve import resolve

SPEC = ROOT / "protocol"

ALL = "--all" in sys.argv
LATEST = "MULTI_RANGE_WHERE"  # the last operation of read.toml
LATEST_RESERVED = f'space = "frame"\nname = "{LATEST}"\nnumber = 54'
OF_A_KIND = 5  # mutants of a kind that are made without --all, at least where there are as many

# Breaking mutations that change bytes: the vectors alone have to find each of these kinds.
FOUND_BY_VECTORS = {
    "renumber_operation", "remove_operation", "change_header_value", "remove_field", "rename_field",
    "resize_field", "swap_fields", "insert_field", "make_optional", "drop_optional", "change_size",
    "narrow_max", "resize_type", "remove_member", "swap_members", "resize_member", "add_member",
    "renumber_value", "remove_value", "rename_value", "widen_enum", "retype_field", "widen_max",
    "change_array", "drop_array", "renumber_status", "swap_codes", "add_field", "raise_limit",
    "raise_version",
}  # fmt: skip


# --- mutants ----------------------------------------------------------------------------------


def lines_of(data: dict[str, Any]) -> LineIndex:
    """Where all stands in a file that has a line for each key and each inline table."""
    index: LineIndex = {(): 1}
    line = 1

    def table(path: Path_, row: dict[str, Any]) -> None:
        nonlocal line
        index[path] = line
        for key, value in row.items():
            line += 1
            index[path + (key,)] = line
            for number, item in enumerate(value if isinstance(value, list) else ()):
                if isinstance(item, dict):
                    line += 1
                    index.update({path + (key, number, inner): line for inner in item})
                index[path + (key, number)] = line
            if isinstance(value, dict):
                index.update({path + (key, inner): line for inner in value})
        line += 1

    for key, value in data.items():
        if isinstance(value, dict):
            table((key,), value)
        for number, row in enumerate(value if isinstance(value, list) else ()):
            table((key, number), row)
    return index


def specification_files() -> Files:
    return {
        path.name: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(SPEC.glob("*.toml"))
    }


class Loader:
    """Makes models of tables; a file that did not change keeps its lines."""

    def __init__(self, files: Files) -> None:
        self.known = {name: Source(name, data, lines_of(data)) for name, data in files.items()}

    def source(self, name: str, data: dict[str, Any]) -> Source:
        known = self.known[name]
        return known if known.data == data else Source(name, data, lines_of(data))

    def load(self, files: Files) -> tuple[Model, Layout]:
        """Fails as the generator does where the tables are no specification."""
        names = sorted(files, key=lambda name: (name != "tau.toml", name))
        tables = [Table(self.source(name, files[name]), files[name], ()) for name in names]
        tables[0].text("include")
        model = resolve(tables)
        check(model)
        return model, layout_of(model, tables)


def worst(changes: list[Change]) -> Class:
    return max((c.kind for c in changes), default=Class.SAFE)


@dataclass(frozen=True)
class Mutant:
    """A mutation that is a specification, and what the diff says of it."""

    mutation: Mutation
    model: Model
    layout: Layout
    changes: list[Change]

    @property
    def name(self) -> dict[str, str]:
        mutation = self.mutation
        return {"kind": mutation.kind, "of": mutation.subject, "file": mutation.file}

    def __str__(self) -> str:
        return report(self.changes, None, self.layout)


def by_kind(mutations: list[Mutation]) -> dict[str, list[Mutation]]:
    """The mutations of each kind, those first that are far from each other."""
    kinds: dict[str, list[Mutation]] = {}
    for mutation in mutations:
        kinds.setdefault(mutation.kind, []).append(mutation)
    for kind, rows in kinds.items():
        step = max(1, len(rows) // OF_A_KIND)
        kinds[kind] = [row for first in range(step) for row in rows[first::step]]
    return kinds


class MutationsTest(unittest.TestCase):
    """Every mutation of the specification."""

    files: ClassVar[Files]
    loader: ClassVar[Loader]
    layout: ClassVar[Layout]
    side: ClassVar[Side]
    golden: ClassVar[list[dict[str, Any]]]
    kinds: ClassVar[dict[str, list[Mutation]]]
    mutants: ClassVar[list[Mutant]]
    refused: ClassVar[set[str]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.files = specification_files()
        cls.loader = Loader(cls.files)
        model, cls.layout = cls.loader.load(cls.files)
        cls.side = Side(model)
        cls.golden = vectors_of(model)
        cls.mutants = []
        cls.refused = set()
        cls.kinds = by_kind(Mutations(cls.files).all())
        for rows in cls.kinds.values():
            found = filter(None, map(cls.mutant, rows))
            cls.mutants += list(found) if ALL else list(itertools.islice(found, OF_A_KIND))

    @classmethod
    def mutant(cls, mutation: Mutation) -> Mutant | None:
        """What a mutation makes, unless that is no specification."""
        try:
            model, layout = cls.loader.load(mutation.files)
        except SpecificationError:
            cls.refused.add(mutation.kind)
            return None
        return Mutant(mutation, model, layout, compare(cls.layout, layout))

    def test_the_files_say_what_the_specification_says(self) -> None:
        """Otherwise the mutants would be of something else."""
        released = read(str(SPEC / "tau.toml"))
        self.assertEqual(compare(released, self.layout), [])
        self.assertEqual(text_of(released, ()), text_of(self.layout, ()))

    def test_there_are_mutants_of_every_kind(self) -> None:
        kinds = {mutant.mutation.kind for mutant in self.mutants}
        labels = Counter(mutant.mutation.label for mutant in self.mutants)
        self.assertEqual(sorted(self.refused - kinds), [], "kinds without any mutant")
        self.assertGreaterEqual(len(kinds), 60)
        self.assertGreaterEqual(min(labels[kind] for kind in Class), 40)

    def test_each_is_classified_as_labelled(self) -> None:
        for mutant in self.mutants:
            with self.subTest(**mutant.name):
                self.assertIs(worst(mutant.changes), mutant.mutation.label, str(mutant))

    def test_each_is_told_of_at_its_line(self) -> None:
        for mutant in self.mutants:
            mutation = mutant.mutation
            files = self.files if mutation.removed else mutation.files
            source = self.loader.source(mutation.file, files[mutation.file])
            place = Table(source, source.data, mutation.at).place()
            if mutant.changes:
                with self.subTest(**mutant.name):
                    self.assertIn(place, [c.place for c in mutant.changes], str(mutant))

    def test_the_lock_judges_as_the_specification_does(self) -> None:
        """A lock knows no words; of all else it knows the same."""
        with tempfile.TemporaryDirectory(prefix="taugen-") as directory:
            path = Path(directory) / "lock.toml"
            path.write_text(text_of(self.layout, ()), encoding="utf-8")
            lock = read(str(path))
        for mutant in self.mutants:
            with self.subTest(**mutant.name):
                changes = compare(lock, mutant.layout)
                self.assertIs(worst(changes), mutant.mutation.label, str(mutant))

    def test_what_passes_is_understood(self) -> None:
        """Judged by what the diff says, not by the label."""
        for mutant in self.mutants:
            kind = worst(mutant.changes)
            if kind is Class.BREAKING:
                continue
            side = Side(mutant.model)
            with self.subTest(**mutant.name):
                self.assertEqual(list(misunderstandings(self.side, side, self.golden)), [])
                if kind is Class.SAFE:
                    self.assertEqual(list(differences(self.side, side, self.golden)), [])

    def test_the_vectors_find_what_breaks(self) -> None:
        """The judge of the test above is no rubber stamp. Not each mutant of a kind touches what a
        vector holds: they are tried until one is found."""
        for kind in sorted(FOUND_BY_VECTORS):
            mutants = filter(None, map(self.mutant, self.kinds[kind]))
            wrong = (misunderstandings(self.side, Side(m.model), self.golden) for m in mutants)
            with self.subTest(kind):
                self.assertTrue(any(next(found, None) for found in wrong))


class LockTest(unittest.TestCase):
    """The lock as a file, and the commands."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="taugen-")
        self.addCleanup(directory.cleanup)
        self.spec = Path(directory.name) / "spec"
        shutil.copytree(SPEC, self.spec, ignore=shutil.ignore_patterns("published", "wire"))
        self.root, self.lock = self.spec / "tau.toml", self.spec.parent / "lock.toml"
        self.assertEqual(self.take("--first")[0], 0)

    def run_taugen(self, *words: object) -> tuple[int, str]:
        result = subprocess.run(
            [sys.executable, "-m", "taugen", *map(str, words)], capture_output=True, text=True,
            env={"PYTHONPATH": str(GENERATOR), "PYTHONDONTWRITEBYTECODE": "1"}, check=False,
        )  # fmt: skip
        self.assertNotIn("Traceback", result.stderr)
        return result.returncode, result.stdout + result.stderr

    def take(self, *more: str) -> tuple[int, str]:
        return self.run_taugen("lock", "--spec", self.root, "--out", self.lock, *more)

    def diff(self) -> tuple[int, str]:
        return self.run_taugen("diff", self.lock, self.root)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.spec / file
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def add_field(self) -> None:
        last = 'doc = "How long its points are kept; 0 for ever." },'
        colour = '{ name = "colour", type = "u8", since = 1, doc = "Its colour." },'
        self.change("series.toml", last, f"{last}\n{colour}")

    def test_nothing_changes(self) -> None:
        self.assertEqual(self.diff(), (0, "verdict: nothing changes\n"))
        self.assertEqual(self.take("--check"), (0, ""))

    def test_an_addition_makes_it_stale(self) -> None:
        self.add_field()
        code, said = self.diff()
        self.assertEqual(code, 0)
        wanted = "additive: operation DESCRIBE_SERIES response colour: added"
        self.assertRegex(said, rf"series.toml:\d+: {wanted}")
        self.assertIn("verdict: minor (1 additive)", said)
        before = self.lock.read_bytes()
        code, said = self.take("--check")
        self.assertEqual((code, self.lock.read_bytes()), (1, before))
        self.assertIn("--target publish", said)
        self.assertEqual(self.take(), (0, ""))
        self.assertEqual(self.take("--check"), (0, ""))
        self.assertEqual(self.diff()[1], "verdict: nothing changes\n")

    def test_what_breaks_is_refused(self) -> None:
        self.change("read.toml", "code = 0x32", "code = 0x3F")
        before = self.lock.read_bytes()
        code, said = self.diff()
        self.assertEqual(code, 1)
        wanted = "breaking: operation QUERY_LATEST: `code` 50 became 63"
        self.assertRegex(said, rf"read.toml:\d+: {wanted}")
        self.assertIn("verdict: major", said)
        for more in ((), ("--check",)):
            self.assertEqual(self.take(*more)[0], 1)
        self.assertEqual(self.lock.read_bytes(), before)

    def remove_latest(self) -> None:
        text = (self.spec / "read.toml").read_text(encoding="utf-8")
        head, _, _ = text.rpartition("[[operation]]")
        (self.spec / "read.toml").write_text(head, encoding="utf-8")

    def test_a_version_may_remove_and_reserves_for_ever(self) -> None:
        self.remove_latest()
        self.assertEqual(self.take()[0], 1)
        self.change("tau.toml", 'name = "tau"\nversion = 1', 'name = "tau"\nversion = 2')
        code, said = self.diff()
        self.assertEqual(code, 1)
        self.assertIn("version 1 rises to 2", said)
        self.assertEqual(self.take(), (0, ""))
        self.assertIn(LATEST_RESERVED, self.lock.read_text())
        path = self.spec / "read.toml"
        text = path.read_text(encoding="utf-8")
        latest = (SPEC / "read.toml").read_text(encoding="utf-8").rpartition("[[operation]]")[2]
        for name, opcode in ((LATEST, "0x3F"), ("MULTI_FIRST", "0x36")):
            with self.subTest(name):
                again = latest.replace(LATEST, name).replace("0x36", opcode)
                path.write_text(text + "[[operation]]" + again, encoding="utf-8")
                self.assertIn("no version of the protocol may do this", self.diff()[1])
                self.change("tau.toml", "version = 2", "version = 3")
                self.assertEqual(self.take()[0], 1)
                self.change("tau.toml", "version = 3", "version = 2")
                path.write_text(text, encoding="utf-8")
        self.assertEqual(self.take("--check"), (0, ""))

    def test_a_lock_keeps_what_is_reserved(self) -> None:
        other = self.lock.with_name("other.toml")
        text = self.lock.read_text(encoding="utf-8")
        other.write_text(text + '[[reserved]]\nspace = "status"\nname = "x"\nnumber = 9\n')
        self.assertEqual(self.run_taugen("diff", self.lock, other)[0], 0)
        code, said = self.run_taugen("diff", other, self.lock)
        self.assertEqual(code, 1)
        self.assertIn("is not reserved any more", said)

    def release(self, folder: str = "1") -> Path:
        """Keeps the lock as that of a release."""
        kept = self.spec.parent / "released" / folder / "lock.toml"
        kept.parent.mkdir(parents=True)
        shutil.copy(self.lock, kept)
        return kept

    def take_beside_releases(self, *more: str) -> tuple[int, str]:
        return self.take("--released", str(self.spec.parent / "released"), *more)

    def test_a_release_is_held_where_the_lock_is_gone(self) -> None:
        kept = self.release()
        before = self.lock.read_bytes()
        self.change("tau.toml", 'name = "throttled"\ncode = 0x17\nclass = "retry"',
                    'name = "throttled"\ncode = 0x17\nclass = "fatal"')  # fmt: skip
        self.lock.unlink()
        for more in ((), ("--check",), ("--first",)):
            code, said = self.take_beside_releases(*more)
            self.assertEqual(code, 1)
            self.assertIn("status throttled: `class` retry became fatal", said)
            self.assertIn(f"{kept}: refused", said)
            self.assertFalse(self.lock.exists())
        self.change("tau.toml", 'code = 0x17\nclass = "fatal"', 'code = 0x17\nclass = "retry"')
        self.assertEqual(self.take_beside_releases(), (0, ""))
        self.assertEqual(self.lock.read_bytes(), before)

    def test_a_release_is_held_where_the_lock_follows_the_break(self) -> None:
        """Specification and lock may be changed by hand, in the same way."""
        self.release()
        for file in (self.spec / "tau.toml", self.lock):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("value = 1000\n", "value = 900\n"), encoding="utf-8")
        self.assertEqual(self.take("--check"), (0, ""))
        code, said = self.take_beside_releases("--check")
        self.assertEqual(code, 1)
        self.assertIn("`value` 1000 became 900", said)

    def test_a_name_of_a_release_stays_reserved_where_the_lock_is_gone(self) -> None:
        self.release()
        self.remove_latest()
        self.change("tau.toml", 'name = "tau"\nversion = 1', 'name = "tau"\nversion = 2')
        self.lock.unlink()
        self.assertEqual(self.take_beside_releases(), (0, ""))
        self.assertIn(LATEST_RESERVED, self.lock.read_text())

    def test_what_was_never_released_may_be_taken_back(self) -> None:
        self.release()
        before = (self.spec / "series.toml").read_text(encoding="utf-8")
        self.add_field()
        self.assertEqual(self.take_beside_releases(), (0, ""))
        (self.spec / "series.toml").write_text(before, encoding="utf-8")
        self.assertEqual(self.take_beside_releases()[0], 1)
        self.lock.unlink()
        self.assertEqual(self.take_beside_releases(), (0, ""))

    def test_every_release_has_its_lock(self) -> None:
        self.assertEqual(self.take_beside_releases()[0], 2)
        (self.spec.parent / "released").mkdir()
        code, said = self.take_beside_releases()
        self.assertEqual(code, 2)
        self.assertIn("the folder holds no release", said)
        kept = self.release("2")
        code, said = self.take_beside_releases()
        self.assertEqual(code, 2)
        self.assertRegex(said, rf"{kept}:\d+: this is no lock of version 2")
        kept.rename(kept.with_name("other.toml"))
        code, said = self.take_beside_releases()
        self.assertEqual(code, 2)
        self.assertIn("2/lock.toml:1: the file cannot be read", said)

    def test_the_first_lock_is_asked_for(self) -> None:
        self.lock.unlink()
        code, said = self.take()
        self.assertEqual(code, 2)
        self.assertIn("there is no lock, nor a release; expected one of them, or --first", said)
        self.assertFalse(self.lock.exists())

    def test_help(self) -> None:
        code, said = self.run_taugen("--help")
        self.assertEqual(code, 0)
        for command in ("diff", "lock"):
            self.assertIn(f"taugen {command}", said)
            code, of_its_own = self.run_taugen(command, "--help")
            self.assertEqual(code, 0)
            self.assertIn(f"usage: taugen {command}", of_its_own)

    def test_usage(self) -> None:
        broken = self.lock.with_name("broken.toml")
        text = self.lock.read_text(encoding="utf-8")
        faults = (("code = 0x20\n", ""), ("format = 1", "format = 9"), ("number = 1\n", ""))
        for old, new in faults:
            broken.write_text(text.replace(old, new, 1), encoding="utf-8")
            with self.subTest(new):
                code, said = self.run_taugen("diff", broken, self.root)
                self.assertEqual(code, 2)
                self.assertRegex(said, r"broken.toml:\d+: ")
        for words in (("diff",), ("diff", "nowhere", self.root), ("lock", "--spec", self.root),
                      ("lock", "--spec", self.lock, "--out", self.lock),
                      ("lock", "--spec", self.root, "--out", self.root)):  # fmt: skip
            with self.subTest(words):
                self.assertEqual(self.run_taugen(*words)[0], 2)


if __name__ == "__main__":
    unittest.main(argv=[word for word in sys.argv if word != "--all"])
