# SPDX-License-Identifier: MIT
"""The command: python3 -m taugen --spec protocol/tau.toml --out DIRECTORY.

Files are written only when they differ. With --check nothing is written, and the exit code is 1
when a file in the directory is not what the specification gives. Exit code 2: the specification or
the command line is wrong. The commands `lock` and `diff` have options of their own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import diff, lock
from .backends import GROUPS, emit_all, outputs
from .check import check
from .errors import SpecificationError
from .load import load
from .model import Model
from .resolve import resolve


def read_model(spec: str) -> Model:
    """Loads, resolves and checks a specification."""
    model = resolve(load(spec))
    check(model)
    return model


def stale_files(texts: dict[str, str], out: Path) -> list[str]:
    """The paths whose file is missing or holds something else."""
    stale: list[str] = []
    for path, text in sorted(texts.items()):
        try:
            same = (out / path).read_bytes() == text.encode()
        except OSError:
            same = False
        if not same:
            stale.append(path)
    return stale


def write_files(texts: dict[str, str], out: Path) -> None:
    """Writes the files that differ, each whole or not at all."""
    for path in stale_files(texts, out):
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".partial")
        partial.write_bytes(texts[path].encode())
        partial.replace(target)


def write_depfile(path: Path, out: Path, group: str, model: Model) -> None:
    """Tells a build tool that the outputs depend on the specification and on the generator."""
    here = Path(__file__).resolve().parent
    inputs = [Path(f).resolve() for f in model.files] + sorted(here.glob("*.py"))
    targets = [(out / o).as_posix() for o in outputs(group)]

    def escape(name: object) -> str:
        return str(name).replace(" ", "\\ ")

    text = " \\\n  ".join(map(escape, targets)) + ": \\\n  " + " \\\n  ".join(map(escape, inputs))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="taugen",
        description="Compiles the Tau specification.",
        epilog="There are two more commands, each with --help of its own: `taugen diff OLD NEW` "
        "classifies what changed, `taugen lock` takes what a specification adds into the lock.",
    )
    parser.add_argument("--spec", help="the root file of the specification")
    parser.add_argument("--out", type=Path, help="the directory of the outputs")
    parser.add_argument("--group", choices=GROUPS, default="build", help="which outputs")
    parser.add_argument("--check", action="store_true", help="write nothing, name what is stale")
    parser.add_argument("--depfile", type=Path, help="write dependencies for a build tool")
    parser.add_argument("--list-outputs", choices=GROUPS, help="print the outputs and end")
    found = parser.parse_args()
    if not found.list_outputs and not (found.spec and found.out):
        parser.error("--spec and --out are required")
    return found


COMMANDS = {"diff": diff.main, "lock": lock.main}


def main() -> int:
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        return COMMANDS[sys.argv[1]](sys.argv[2:])
    options = arguments()
    if options.list_outputs:
        print("\n".join(outputs(options.list_outputs)))
        return 0
    try:
        model = read_model(options.spec)
        texts = emit_all(model, options.group)
    except SpecificationError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        stale = stale_files(texts, options.out)
        for path in stale:
            print(f"{(options.out / path).as_posix()}: stale", file=sys.stderr)
        return 1 if stale else 0
    write_files(texts, options.out)
    if options.depfile:
        write_depfile(options.depfile, options.out, options.group, model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
