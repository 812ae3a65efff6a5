# SPDX-License-Identifier: MIT
"""The command: python3 -m taudoc PART --out DIRECTORY ...

    commands --tables FILE            tau-cli(1), its commands, and completions
    server   --tables FILE            taud(8), and completions
    library  --headers FILE...        section 3, with --specification FILE

Pages go to DIRECTORY/manN; what an earlier run left there and this one did not write is removed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import bash, command_pages, fish, headers, library_pages, server_page, tables, zsh
from .roff import Page


def replace_files(folder: Path, texts: dict[str, str]) -> None:
    """Makes a folder hold these files and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def write_pages(out: Path, pages: list[Page]) -> None:
    for section in sorted({page.section for page in pages}):
        texts = {f"{p.name}.{section}": p.render() for p in pages if p.section == section}
        replace_files(out / f"man{section}", texts)


SHELLS = (bash, fish, zsh)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="taudoc", description="Writes manuals and completions.")
    parser.add_argument("part", choices=("commands", "server", "library"))
    parser.add_argument("--out", type=Path, required=True, help="the directory of the outputs")
    parser.add_argument("--tables", type=Path, help="what a program printed of its tables")
    parser.add_argument("--headers", type=Path, nargs="*", default=[], help="the public headers")
    parser.add_argument("--specification", type=Path, help="the published specification")
    parser.add_argument("--version", default="", help="the version of the library")
    parser.add_argument("--date", required=True, help="the date on the pages, YYYY-MM-DD")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if options.part == "commands":
        found = tables.read(options.tables)
        write_pages(options.out, command_pages.pages(found, options.date))
        for shell in SHELLS:
            replace_files(options.out / shell.FOLDER, {shell.FILE: shell.script(found)})
    elif options.part == "server":
        write_pages(options.out, [server_page.page(options.tables, options.date)])
        given = tables.read_server(options.tables)
        for shell in SHELLS:
            replace_files(options.out / shell.FOLDER,
                          {shell.SERVER_FILE: shell.server_script(given)})
    else:
        try:
            read = [headers.read(path, f"tau/{path.name}") for path in options.headers]
        except headers.HeaderError as error:
            print(error, file=sys.stderr)
            return 1
        write_pages(options.out, library_pages.pages(read, options.specification, options.version,
                                                     options.date))
    return 0


if __name__ == "__main__":
    sys.exit(main())
