# SPDX-License-Identifier: MIT
"""The completion for bash. It needs nothing but bash: bash-completion only finds it.

Bash splits words at `=` and `:`, which stand in options and labels; the script puts them together
again, and cuts off each candidate what bash takes for finished.
"""

from __future__ import annotations

from . import words
from .tables import Option, Server, Tables, Value

FOLDER = "completions/bash"
FILE = "tau-cli"
SERVER_FILE = "taud"

_HEAD = """
# Prints the names of a kind.
_tau_cli_names() {
    case $1 in
"""

_BODY = """\
    esac
}

# Prints names that the server has; nothing when there is none.
_tau_cli_ask() {
    local line
    "${_tau_cli_program[@]}" --timeout @TIMEOUT@ --format tsv "$1" 2>/dev/null </dev/null |
        { read -r line; while IFS= read -r line; do printf '%s\\n' "${line%%$'\\t'*}"; done; }
}

# Makes _tau_cli_line of the words up to the cursor, put together where bash took them apart, and
# _tau_cli_head of what bash takes for finished of the last of them.
_tau_cli_read() {
    local rest=${COMP_LINE:0:COMP_POINT} word blank i
    _tau_cli_line=()
    _tau_cli_head=
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$rest
        rest=${rest#"$word"}
        if ((i == 0)) || [[ -n $blank ]]; then
            _tau_cli_line+=("$word")
            _tau_cli_head=
        else
            _tau_cli_head=${_tau_cli_line[-1]}
            _tau_cli_line[-1]+=$word
        fi
    done
    case $word in
    [=:]*) _tau_cli_head=${_tau_cli_line[-1]} ;;
    esac
}

# Adds the candidates that begin with the word, each without what is finished.
_tau_cli_add() {
    local word=$1 prefix=$2 candidate
    while IFS= read -r candidate; do
        printf -v candidate %q "$candidate"
        if [[ $candidate == "$word"* ]]; then
            candidate=$prefix$candidate
            COMPREPLY+=("${candidate#"$_tau_cli_head"}")
        fi
    done
}

_tau_cli_values() {
    local word=$1 prefix=$2 kind
    shift 2
    for kind in "$@"; do
        case $kind in
        =*) _tau_cli_add "$word" "$prefix" <<<"${kind#=}" ;;
        file)
            compopt -o filenames 2>/dev/null
            while IFS= read -r kind; do
                kind=$prefix$kind
                COMPREPLY+=("${kind#"$_tau_cli_head"}")
            done < <(compgen -f -- "${word//\\/}")
            ;;
        *) _tau_cli_add "$word" "$prefix" < <(_tau_cli_names "$kind") ;;
        esac
    done
}

_tau_cli() {
    local _tau_cli_line _tau_cli_head _tau_cli_program word option command= ended= i
    local -i place=0
    local -a values
    COMPREPLY=()
    _tau_cli_read
    _tau_cli_program=("${_tau_cli_line[0]}")
    for ((i = 1; i < ${#_tau_cli_line[@]} - 1; i++)); do
        word=${_tau_cli_line[i]}
        if [[ -z $ended && $word == -- ]]; then
            ended=1
        elif [[ -z $ended && $word == -[!0-9.]* ]]; then
            option=${word%%=*}
            [[ $word == --* || ${#word} == 2 ]] || option=${word:0:2}
            if [[ $option == "$word" ]] && _tau_cli_option "$command" "$option"; then
                ((i + 1 < ${#_tau_cli_line[@]} - 1)) || {
                    _tau_cli_values "${_tau_cli_line[-1]}" "" "${values[@]}"
                    return
                }
                case $option in
                @SERVER@) _tau_cli_program+=("$option" "${_tau_cli_line[i + 1]}") ;;
                esac
                ((++i))
            else
                case $option in
                @SERVER@) _tau_cli_program+=("$word") ;;
                esac
            fi
        elif [[ -z $command ]]; then
            command=$word
            ended=
        else
            place+=1
        fi
    done
    word=${_tau_cli_line[-1]}
    if [[ -z $ended && $word == --*=* ]]; then
        _tau_cli_option "$command" "${word%%=*}" &&
            _tau_cli_values "${word#*=}" "${word%%=*}=" "${values[@]}"
    elif [[ -z $ended && $word == -* ]]; then
        _tau_cli_add "$word" "" < <(_tau_cli_options "$command")
    elif [[ -z $command ]]; then
        _tau_cli_add "$word" "" < <(_tau_cli_names command; printf '%s\\n' @HELP@)
    else
        _tau_cli_place "$command" $place
        _tau_cli_values "$word" "" "${values[@]}"
    fi
}

complete -F _tau_cli tau-cli
"""


def _values(value: Value) -> str:
    return " ".join([f"={choice}" for choice in value.choices] + words.kinds_of(value))


def _names(tables: Tables) -> str:
    rows = "".join(f"    {x.kind}) _tau_cli_ask {x.command} ;;\n" for x in words.listers(tables))
    commands = " ".join(c.name for c in tables.commands)
    return rows + f"    command) printf '%s\\n' {commands} ;;\n"


def _option_rows(options: tuple[Option, ...], prefix: str) -> str:
    return "".join(
        f"    {'|'.join(prefix + word for word in o.words)}) values=({_values(o.value)}) ;;\n"
        for o in words.valued(options)
    )


def _option_function(tables: Tables) -> str:
    """Whether an option of a command takes a value, and which."""
    rows = "".join(_option_rows(c.options, f"{c.name}:") for c in tables.commands)
    own = _option_rows(tables.options, "*:")
    return ("# Sets values and succeeds if the option of the command takes a value.\n"
            "_tau_cli_option() {\n    values=()\n    case $1:$2 in\n"
            f"{rows}{own}    *) return 1 ;;\n    esac\n}}\n\n")


def _place_function(tables: Tables) -> str:
    rows = "".join(
        f"    {c.name}:{'*' if a.repeated else i}) values=({_values(a.value)}) ;;\n"
        for c in tables.commands
        for i, a in enumerate(c.arguments)
    )
    return ("# Sets values to what stands at a place behind a command.\n"
            "_tau_cli_place() {\n    values=()\n    case $1:$2 in\n"
            f"{rows}    {words.HELP}:0) values=(command) ;;\n    esac\n}}\n\n")


def _options_function(tables: Tables) -> str:
    def listed(options: tuple[Option, ...]) -> str:
        return " ".join(f"--{o.name}" for o in options)

    rows = "".join(f"    {c.name}) printf '%s\\n' {listed(c.options)} ;;\n"
                   for c in tables.commands if c.options)
    return ("# Prints the options that a command takes.\n"
            f"_tau_cli_options() {{\n    case $1 in\n{rows}    esac\n"
            f"    printf '%s\\n' {listed(tables.options)}\n}}\n\n")


def script(tables: Tables) -> str:
    server = "|".join(word for o in words.handed_on(tables) for word in o.words)
    body = (_BODY.replace("@TIMEOUT@", words.TIMEOUT).replace("@SERVER@", server)
            .replace("@HELP@", words.HELP))
    head, _, rest = body.partition("# Prints names that")
    functions = _option_function(tables) + _place_function(tables) + _options_function(tables)
    head = words.note(words.PROGRAM) + _HEAD + _names(tables) + head
    return head + functions + "# Prints names that" + rest


# --- taud, which has options, or a command and a directory ----------------------------------------

_SERVER = """
_taud() {
    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} prefix=
    COMPREPLY=()
    case $word in
    =) word= ;; # bash takes words apart here, unless it was told not to
    --*=*) option=${word%%=*} prefix=${word%%=*}= word=${word#*=} ;;
    *) [[ $option != = ]] || option=${COMP_WORDS[COMP_CWORD - 2]} ;;
    esac
    case $option in
@ROWS@    *)
        case $((COMP_CWORD > 1)),${COMP_WORDS[1]} in
@CASES@)
            if [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '@COMMAND_OPTIONS@' -- "$word")
            else
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -d -- "${word//\\\\/}")
            fi
            ;;
        0,*) mapfile -t COMPREPLY < <(compgen -W '@COMMANDS@ @OPTIONS@' -- "$word") ;;
        *) mapfile -t COMPREPLY < <(compgen -W '@OPTIONS@' -- "$word") ;;
        esac
        ;;
    esac
}

complete -F _taud taud
"""


def _server_row(option: Option) -> str:
    """How the value of an option is completed."""
    value = option.value
    if value.choices:
        what = f"-W '{' '.join(value.choices)}' -- \"$word\""
    elif value.kind in ("file", "directory"):
        what = f"-{value.kind[0]} -- \"${{word//\\\\/}}\""
    else:
        return f"    --{option.name}) ;;\n"
    names = "compopt -o filenames 2>/dev/null\n        " if not value.choices else ""
    return (f"    --{option.name})\n        {names}"
            f"mapfile -t COMPREPLY < <(compgen -P \"$prefix\" {what})\n        ;;\n")


def server_script(server: Server) -> str:
    commands = [name for name, _ in server.commands]
    filled = {
        "@ROWS@": "".join(_server_row(o)
                          for o in words.valued(server.options + server.command_options)),
        "@OPTIONS@": " ".join(f"--{o.name}" for o in server.options),
        "@COMMANDS@": " ".join(commands),
        "@CASES@": "        " + " | ".join(f"1,{name}" for name in commands),
        "@COMMAND_OPTIONS@": " ".join(f"--{o.name}" for o in server.command_options),
    }
    text = words.note(words.SERVER) + _SERVER
    for name, value in filled.items():
        text = text.replace(name, value)
    return text
