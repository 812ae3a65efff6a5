# SPDX-License-Identifier: MIT
"""The completion for zsh: _arguments does the work, once for the program, once for a command."""

from __future__ import annotations

from . import words
from .tables import Argument, Command, Option, Server, Tables, Value
from .words import Lister

FOLDER = "completions/zsh"
FILE = "_tau-cli"
SERVER_FILE = "_taud"

_NAMES = """
# Adds names that the commands print; nothing when there is no server.
_tau_cli_names() {
    local -a program lines names
    local command i
    program=("$tau_cli_line[1]")
    for ((i = 2; i <= $#tau_cli_line; i++)); do
        case $tau_cli_line[i] in
        (@WORDS@) program+=("$tau_cli_line[i]" "$tau_cli_line[i+1]") ;;
        (@ASSIGNED@) program+=("$tau_cli_line[i]") ;;
        esac
    done
    for command in "$@"; do
        lines=("${(@f)$("${(@Q)program}" --timeout @TIMEOUT@ --format tsv $command \\
            2>/dev/null </dev/null)}")
        lines=("${(@)lines[2,-1]}")
        names+=("${(@)lines%%$'\\t'*}")
    done
    compadd -a names
}

_tau_cli_commands() {
    local -a commands
    commands=(
@COMMANDS@    )
    _describe command commands
}
"""

_MAIN = """
_tau_cli() {
    local curcontext=$curcontext state line
    local -A opt_args
    local -a tau_cli_line shared
    tau_cli_line=("${words[@]}")
    shared=(
@SHARED@    )
    _arguments -C -s $shared '1: :_tau_cli_commands' '*:: :->command' && return
    [[ $state == command ]] || return 1
    case $words[1] in
@CASES@    (@HELP@) _arguments '1: :_tau_cli_commands' ;;
    esac
}

_tau_cli "$@"
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _escaped(text: str) -> str:
    """What stands in a specification between its colons and brackets."""
    for letter in "\\:[]":
        text = text.replace(letter, f"\\{letter}")
    return text


def _action(value: Value, listers: list[Lister]) -> str:
    if value.choices:
        return f"({' '.join(value.choices)})"
    if value.kind in ("file", "directory"):
        return "_files" if value.kind == "file" else "_files -/"
    kinds = words.kinds_of(value)
    asked = [x.command for x in listers if x.kind in kinds]
    return f" _tau_cli_names {' '.join(asked)}" if asked else ""


def _option(option: Option, listers: list[Lister]) -> str:
    doc = f"[{_escaped(option.doc)}]"
    if option.value_name is not None:
        doc += f":{_escaped(option.value_name)}:{_action(option.value, listers)}"
        names = ([f"-{option.letter}+"] if option.letter else []) + [f"--{option.name}="]
    else:
        names = option.words
    if len(names) == 1:
        return _quoted(("*" if option.repeated else "") + names[0] + doc)
    return f"'({' '.join(option.words)})'{{{','.join(names)}}}{_quoted(doc)}"


def _argument(number: int, argument: Argument, listers: list[Lister]) -> str:
    name = f"{_escaped(argument.name)}:{_action(argument.value, listers)}"
    if argument.repeated:
        return _quoted(f"*:{name}")
    return _quoted(f"{number}:{':' if argument.optional else ''}{name}")


def _case(command: Command, listers: list[Lister]) -> str:
    specs = [_option(o, listers) for o in command.options]
    specs += [_argument(i, a, listers) for i, a in enumerate(command.arguments, 1)]
    lines = "".join(f" \\\n            {spec}" for spec in specs)
    return f"    ({command.name})\n        _arguments -s $shared{lines}\n        ;;\n"


def script(tables: Tables) -> str:
    listers = words.listers(tables)
    given = [word for o in words.handed_on(tables) for word in o.words]
    assigned = [f"{w}=*" if w.startswith("--") else f"{w}?*" for w in given]
    rows = [(c.name, c.summary) for c in tables.commands] + [(words.HELP, "tell about a command")]
    filled = {
        "@WORDS@": "|".join(given),
        "@ASSIGNED@": "|".join(assigned),
        "@TIMEOUT@": words.TIMEOUT,
        "@COMMANDS@": "".join(f"        {_quoted(f'{n}:{s}')}\n" for n, s in rows),
        "@SHARED@": "".join(f"        {_option(o, listers)}\n" for o in tables.options),
        "@CASES@": "".join(_case(c, listers) for c in tables.commands),
        "@HELP@": words.HELP,
    }
    text = f"#compdef {words.PROGRAM}\n{words.note(words.PROGRAM)}{_NAMES}{_MAIN}"
    for name, value in filled.items():
        text = text.replace(name, value)
    return text


def server_script(server: Server) -> str:
    """That of taud, which has options, or a command and a directory."""
    def lines(options: tuple[Option, ...]) -> str:
        return "".join(f" \\\n        {_option(o, [])}" for o in options)

    names = [name for name, _ in server.commands]
    return (f"#compdef {words.SERVER}\n{words.note(words.SERVER)}\n"
            f"if (( CURRENT > 2 )) && [[ $words[2] == ({'|'.join(names)}) ]]; then\n"
            f"    _arguments -s{lines(server.command_options)} \\\n"
            "        '1: :' '2:directory:_files -/'\n"
            "else\n"
            f"    _arguments -s{lines(server.options)} \\\n"
            f"        '1::command:({' '.join(names)})'\n"
            "fi\n")
