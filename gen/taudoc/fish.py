# SPDX-License-Identifier: MIT
"""The completion for fish: one rule for each word, and a function that says where on the line."""

from __future__ import annotations

from . import words
from .tables import Argument, Command, Option, Server, Tables, Value
from .words import Lister

FOLDER = "completions/fish"
FILE = "tau-cli.fish"
SERVER_FILE = "taud.fish"

_FUNCTIONS = """
# Prints the command on the line, and how many of its arguments stand before the cursor.
function __tau_cli_state
    set -l command ''
    set -l place 0
    set -l skip 0
    set -l ended 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if test $ended = 0; and string match -qr -- '^-[^0-9.]' $word
            switch "$command:$word"
                case '*:--'
                    test -n "$command"; and set ended 1
@VALUED@                    set skip 1
            end
        else if test -z "$command"
            set command $word
        else
            set place (math $place + 1)
        end
    end
    printf '%s\\n' "$command" $place
end

# Whether the word under the cursor stands behind a command, at a place or, with 3+, behind it.
function __tau_cli_at --argument-names command place
    set -l state (__tau_cli_state)
    test "$state[1]" = "$command"; or return 1
    switch "$place"
        case ''
            return 0
        case '*+'
            test $state[2] -ge (string trim -rc + $place)
        case '*'
            test $state[2] = $place
    end
end

# Prints names that a command prints; nothing when there is no server.
function __tau_cli_names
    set -l line (commandline -opc)
    set -l program $line[1]
    for i in (seq 2 (count $line))
        switch $line[$i]
            case @WORDS@
                set -a program $line[$i] $line[(math $i + 1)]
            case @ASSIGNED@
                set -a program $line[$i]
        end
    end
    for command in $argv
        $program --timeout @TIMEOUT@ --format tsv $command 2>/dev/null </dev/null |
            tail -n +2 | cut -f 1
    end
end

complete -c tau-cli -f
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _candidates(value: Value, listers: list[Lister]) -> str:
    """The candidates for a value, as an argument of `complete`."""
    if value.choices:
        return f" -a {_quoted(' '.join(value.choices))}"
    if value.kind == "file":
        return " -F"
    if value.kind == "directory":
        return " -a '(__fish_complete_directories)'"
    kinds = words.kinds_of(value)
    asked = [x.command for x in listers if x.kind in kinds]
    return f" -a '(__tau_cli_names {' '.join(asked)})'" if asked else ""


def _option(option: Option, program: str, listers: list[Lister]) -> str:
    """The rule of an option; `program` may be followed by a condition."""
    line = f"complete -c {program}"
    line += f" -s {option.letter}" if option.letter else ""
    line += f" -l {option.name}"
    if option.value_name is not None:
        candidates = _candidates(option.value, listers)
        line += (" -r" if candidates == " -F" else " -x") + candidates
    return f"{line} -d {_quoted(option.doc)}\n"


def _argument(command: Command, number: int, argument: Argument, listers: list[Lister]) -> str:
    candidates = _candidates(argument.value, listers)
    if not candidates:
        return ""
    place = f"{number}{'+' if argument.repeated else ''}"
    return (f"complete -c {words.PROGRAM} -n '__tau_cli_at {command.name} {place}'{candidates}"
            f" -d {_quoted(argument.name)}\n")


def _command(command: Command, listers: list[Lister]) -> str:
    text = (f"\ncomplete -c {words.PROGRAM} -n \"__tau_cli_at ''\" -a {command.name}"
            f" -d {_quoted(command.summary)}\n")
    there = f"{words.PROGRAM} -n '__tau_cli_at {command.name}'"
    text += "".join(_option(o, there, listers) for o in command.options)
    return text + "".join(
        _argument(command, i, a, listers) for i, a in enumerate(command.arguments)
    )


def _valued(tables: Tables) -> str:
    """The patterns of options that take the word behind them."""
    found = [f"'{c.name}:{w}'" for c in tables.commands for o in words.valued(c.options)
             for w in o.words]
    found += [f"'*:{w}'" for o in words.valued(tables.options) for w in o.words]
    return "                case " + " ".join(found) + "\n"


def script(tables: Tables) -> str:
    given = [word for o in words.handed_on(tables) for word in o.words]
    assigned = [f"'{w}=*'" if w.startswith("--") else f"'{w}?*'" for w in given]
    functions = (_FUNCTIONS.replace("@VALUED@", _valued(tables)).replace("@WORDS@", " ".join(given))
                 .replace("@ASSIGNED@", " ".join(assigned)).replace("@TIMEOUT@", words.TIMEOUT))
    names = " ".join(c.name for c in tables.commands)
    listers = words.listers(tables)
    text = words.note(words.PROGRAM) + functions
    text += "".join(_option(o, words.PROGRAM, listers) for o in tables.options)
    text += "".join(_command(c, listers) for c in tables.commands)
    return text + (f"\ncomplete -c {words.PROGRAM} -n \"__tau_cli_at ''\" -a {words.HELP}"
                   " -d 'tell about a command'\n"
                   f"complete -c {words.PROGRAM} -n '__tau_cli_at {words.HELP} 0' -a '{names}'\n")


def server_script(server: Server) -> str:
    """That of taud, which has options, or a command and a directory."""
    names = " ".join(name for name, _ in server.commands)
    behind = f"{words.SERVER} -n '__fish_seen_subcommand_from {names}'"
    before = f"{words.SERVER} -n 'not __fish_seen_subcommand_from {names}'"
    rules = "".join(_option(o, before, []) for o in server.options)
    rules += "".join(_option(o, behind, []) for o in server.command_options)
    rules += "".join(f"complete -c {words.SERVER} -n __fish_is_first_token -a {name}"
                     f" -d {_quoted(text.partition(',')[0])}\n" for name, text in server.commands)
    return (f"{words.note(words.SERVER)}\ncomplete -c {words.SERVER} -f\n{rules}"
            f"complete -c {behind} -a '(__fish_complete_directories)'\n")
