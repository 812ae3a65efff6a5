# SPDX-License-Identifier: MIT
"""The commands of tau-cli: the table with its help, and what generic commands need to run.

A command that is written by hand is one extern function and its syntax. Every other command is one
operation, described by tables: how its arguments are read, how it is called, how its answer is
printed. client/cli/generic.c does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import SpecificationError
from .model import Cli, Field, Member, Model, Operation, Type, TypeKind

OUTPUTS: tuple[str, ...] = ("tau_cli_commands.h", "tau_cli_commands.c")

_LABEL_SIZE = 32
_DURATION_UNIT = "nanoseconds"
_I64_MIN = -(1 << 63)
_U64_MAX = (1 << 64) - 1

_HEADER = """\
/* SPDX-License-Identifier: MIT */
/* Generated from the specification: the commands of tau-cli. */
#ifndef TAU_CLI_COMMANDS_H
#define TAU_CLI_COMMANDS_H

#include "command.h"

/* Every command, sorted by name. */
extern const struct cli_command tau_cli_commands[];
extern const size_t tau_cli_command_count;

/* The commands that are written by hand, in commands/NAME.c, and what they take. */
"""


@dataclass(frozen=True)
class _Entry:
    """A command, whether of an operation or of several."""

    name: str
    summary: str
    operation: Operation | None
    cli: Cli | None

    @property
    def stem(self) -> str:
        return self.name.replace("-", "_")

    @property
    def generic(self) -> bool:
        return self.cli is not None and not self.cli.custom


def _entries(model: Model) -> list[_Entry]:
    found = [_Entry(c.name, c.summary, None, None) for c in model.commands]
    found += [_Entry(o.cli.command, o.cli.summary, o, o.cli) for o in model.operations if o.cli]
    return sorted(found, key=lambda e: e.name)


def _quote(text: str) -> str:
    """A C string literal of one line; documentation is UTF-8 and stays so."""
    flat = " ".join(text.split())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _kind(type_: Type, unit: str, cli: Cli) -> str:
    """How a value of this type, in this unit, is read and printed."""
    if type_.kind is TypeKind.INTEGER:
        if type_.name == "timestamp" or type_.alias_of == "timestamp":
            return "TIME"
        if unit == _DURATION_UNIT and not type_.signed and type_.size == 8:
            return "DURATION"
        return "SIGNED" if type_.signed else "UNSIGNED"
    if type_.kind is TypeKind.BYTES and type_.size != _LABEL_SIZE:
        wrong = f"the command `{cli.command}` has bytes that are no label: `{type_.name}`"
        raise SpecificationError(cli.place, wrong, "`custom = true`")
    kinds = {
        TypeKind.FLOAT: "F64",
        TypeKind.BOOL: "BOOL",
        TypeKind.STATUS: "ENUM",
        TypeKind.ENUM: "ENUM",
        TypeKind.BYTES: "NAME",
        TypeKind.TEXT: "TEXT",
        TypeKind.BLOB: "TEXT",
    }
    return kinds[type_.kind]


def _choices_name(type_: Type) -> str:
    return f"{type_.name}_choices"


@dataclass(frozen=True)
class _Row:
    """One row of a table of fields: a member of a C struct, reached by a path."""

    name: str
    type: Type
    unit: str
    struct: str
    path: str
    has: str
    only_with: str
    minimum: int
    maximum: int

    def text(self, cli: Cli) -> str:
        kind = _kind(self.type, self.unit, cli)
        has = f"offsetof(struct {self.struct}, {self.has})" if self.has else "CLI_NO_OFFSET"
        lines = [
            f'.name = "{self.name}", .kind = CLI_FIELD_{kind},',
            f".offset = offsetof(struct {self.struct}, {self.path}),",
            f".size = sizeof(((struct {self.struct} *)0)->{self.path}),",
            f".has_offset = {has},",
        ]
        if self.only_with:
            lines.append(f".needs_offset = offsetof(struct {self.struct}, {self.only_with}),")
            lines.append(f".needs_size = sizeof(((struct {self.struct} *)0)->{self.only_with}),")
        if kind in ("SIGNED", "UNSIGNED", "DURATION"):
            low = "INT64_MIN" if self.minimum == _I64_MIN else f"INT64_C({self.minimum})"
            lines.append(f".minimum = {low}, .maximum = UINT64_C({self.maximum}),")
        if kind == "ENUM":
            choices = _choices_name(self.type)
            count = f"sizeof({choices}) / sizeof({choices}[0])"
            lines.append(f".choices = {choices}, .choice_count = {count},")
        return "    {" + "\n     ".join(lines) + "},\n"


def _bounds(type_: Type, minimum: int | None, maximum: int | None) -> tuple[int, int]:
    bits = max(type_.size, 1) * 8
    low = -(1 << bits - 1) if type_.signed else 0
    high = (1 << bits - 1) - 1 if type_.signed else (1 << bits) - 1
    return low if minimum is None else minimum, min(high if maximum is None else maximum, _U64_MAX)


def _field_rows(field: Field, struct: str) -> list[_Row]:
    """The rows of a field; the members of a struct become rows of their own."""
    has = f"has_{field.tail or field.name}" if field.may_be_missing else ""
    if field.type.kind is TypeKind.STRUCT:
        return [
            _Row(m.name, m.type, m.unit, struct, f"{field.name}.{m.name}", has, field.only_with,
                 *_bounds(m.type, None, None))
            for m in field.type.members
        ]  # fmt: skip
    bounds = _bounds(field.type, field.minimum, field.maximum)
    return [
        _Row(field.name, field.type, field.unit, struct, field.name, has, field.only_with, *bounds)
    ]


def _element_rows(field: Field) -> list[_Row]:
    """The rows of an array's element. A single value is held by a struct that is made for it."""
    if field.type.kind is TypeKind.STRUCT:
        return [_member_row(m, field.type.c_struct) for m in field.type.members]
    name = field.name[:-1] if field.name.endswith("s") else field.name
    bounds = _bounds(field.type, None, None)
    holder = f"one_{field.type.c_stem}"
    return [_Row(name, field.type, field.unit, holder, "value", "", "", *bounds)]


def _member_row(member: Member, struct: str) -> _Row:
    bounds = _bounds(member.type, None, None)
    return _Row(member.name, member.type, member.unit, struct, member.name, "", "", *bounds)


def _table(name: str, rows: list[_Row], cli: Cli) -> str:
    if not rows:
        return ""
    body = "".join(row.text(cli) for row in rows)
    return f"static const struct cli_field {name}[] = {{\n{body}}};\n\n"


def _choice_tables(model: Model, used: list[Type]) -> str:
    """The named values of every enumeration that a generic command meets."""
    parts: list[str] = []
    for type_ in sorted({t.name: t for t in used}.values(), key=lambda t: t.name):
        if type_.kind is TypeKind.STATUS:
            pairs = [(s.name, s.code) for s in model.wire_statuses]
        elif type_.kind is TypeKind.ENUM:
            pairs = [(v.name, v.value) for v in type_.values]
        else:
            continue
        rows = "".join(f'    {{"{name}", {value}}},\n' for name, value in pairs)
        parts.append(f"static const struct cli_choice {_choices_name(type_)}[] = {{\n{rows}}};\n\n")
    return "".join(parts)


def _arguments(operation: Operation, cli: Cli) -> list[Field]:
    """The fields that are typed: all of the request, each checked to be one that can be."""
    fields = [operation.request.field(name) for name in cli.arguments]
    for number, field in enumerate(fields):
        if field.type.kind is TypeKind.STRUCT:
            wrong = f"`{field.name}` cannot be typed as one argument of `{cli.command}`"
            raise SpecificationError(cli.place, wrong, "`custom = true`")
        if not field.may_be_missing and any(f.may_be_missing for f in fields[:number]):
            wrong = f"`{field.name}` stands behind an argument that may be left out"
            raise SpecificationError(cli.place, wrong, "the optional arguments last")
    if operation.is_stream or operation.scope != "any":
        wrong = f"{operation.name} is no unary operation that every transport has"
        raise SpecificationError(cli.place, wrong, "`custom = true`")
    return fields


def _results(operation: Operation) -> tuple[list[Field], list[Field]]:
    """The fields of the response that are printed: single ones, and arrays. Counts are not."""
    fields = [f for f in operation.response.fields if not f.is_count]
    return [f for f in fields if not f.is_array], [f for f in fields if f.is_array]


def _accessor(field: Field) -> str:
    """A function that takes one element out of an array, whatever its type."""
    stem = field.type.c_stem
    if field.type.kind is TypeKind.STRUCT:
        holder = f"struct {field.type.c_struct} element = tau_{stem}_at(array, index);"
    else:
        holder = f"struct one_{stem} element = {{.value = tau_{stem}_at(array, index)}};"
    return f"""\
static void {stem}_at(struct tau_array array, size_t index, void *ret_element)
{{
    {holder}
    memcpy(ret_element, &element, sizeof(element));
}}

"""


def _accessors(arrays: list[Field]) -> str:
    """Accessors for the element types that are met, each once, with the structs they fill."""
    parts: list[str] = []
    for field in {f.type.c_stem: f for f in arrays}.values():
        if field.type.kind is not TypeKind.STRUCT:
            stem = field.type.c_stem
            parts.append(f"struct one_{stem} {{\n    {field.type.c_type} value;\n}};\n\n")
        parts.append(_accessor(field))
    return "".join(parts)


def _call(entry: _Entry, operation: Operation) -> str:
    """The call of the SDK behind one signature."""
    arguments = ["client"]
    unused: list[str] = []
    if operation.request.empty:
        unused.append("request")
    else:
        arguments.append("request")
    if operation.response.empty:
        unused.append("ret_response")
    else:
        arguments.append("ret_response")
    arguments.append("error")
    voids = "".join(f"    (void){name};\n" for name in unused)
    return f"""\
static enum tau_status call_{entry.stem}(struct tau_client *client, const void *request,
                                         void *ret_response, struct tau_error *error)
{{
{voids}    return tau_client_{operation.c_name}({", ".join(arguments)});
}}

"""


def _array_table(entry: _Entry, arrays: list[Field], struct: str) -> str:
    rows = []
    for field in arrays:
        stem = field.type.c_stem
        is_struct = field.type.kind is TypeKind.STRUCT
        element = field.type.c_struct if is_struct else f"one_{stem}"
        fields = f"{entry.stem}_{field.name}"
        rows.append(
            f'    {{.name = "{field.name}",\n'
            f"     .offset = offsetof(struct {struct}, {field.name}),\n"
            f"     .element_size = sizeof(struct {element}),\n"
            f"     .at = {stem}_at,\n"
            f"     .fields = {fields},\n"
            f"     .field_count = sizeof({fields}) / sizeof({fields}[0])}},\n"
        )
    body = "".join(rows)
    return f"static const struct cli_array {entry.stem}_arrays[] = {{\n{body}}};\n\n"


def _member(name: str, table: str, present: bool) -> str:
    if not present:
        return ""
    count = name[:-1] + "_count"
    return f"    .{name} = {table},\n    .{count} = sizeof({table}) / sizeof({table}[0]),\n"


def _operation(entry: _Entry, operation: Operation, cli: Cli) -> str:
    """Everything that running one operation takes."""
    arguments = _arguments(operation, cli)
    singles, arrays = _results(operation)
    request = operation.request.c_struct
    response = operation.response.c_struct
    stem = entry.stem
    parts = [
        _table(
            f"{stem}_arguments",
            [row for f in arguments for row in _field_rows(f, request)],
            cli,
        ),
        _table(f"{stem}_results", [r for f in singles for r in _field_rows(f, response)], cli),
    ]
    parts += [_table(f"{stem}_{f.name}", _element_rows(f), cli) for f in arrays]
    parts.append(_array_table(entry, arrays, response) if arrays else "")
    parts.append(_call(entry, operation))
    sizes = "".join(
        f"    .{name}_size = sizeof(struct {payload.c_struct}),\n"
        for name, payload in (("request", operation.request), ("response", operation.response))
        if not payload.empty
    )
    parts.append(
        f"static const struct cli_operation {stem}_operation = {{\n{sizes}"
        + _member("arguments", f"{stem}_arguments", bool(arguments))
        + _member("results", f"{stem}_results", bool(singles))
        + _member("arrays", f"{stem}_arrays", bool(arrays))
        + f"    .call = call_{stem},\n}};\n\n"
    )
    parts.append(_syntax(entry, arguments))
    return "".join(parts)


def _syntax(entry: _Entry, arguments: list[Field]) -> str:
    """What a generic command takes: the table of its arguments, with their documentation."""
    if not arguments:
        return f"static const struct cli_syntax {entry.stem}_syntax = {{.argument_count = 0}};\n\n"
    rows = "".join(
        f'    {{.name = "{f.name.upper()}", .doc = {_quote(f.doc)}'
        + (", .optional = true" if f.may_be_missing else "")
        + "},\n"
        for f in arguments
    )
    name = f"{entry.stem}_typed"
    return (
        f"static const struct cli_argument {name}[] = {{\n{rows}}};\n\n"
        f"static const struct cli_syntax {entry.stem}_syntax = {{\n"
        f"    .arguments = {name},\n"
        f"    .argument_count = sizeof({name}) / sizeof({name}[0]),\n}};\n\n"
    )


def _command(entry: _Entry) -> str:
    """One row of the table of commands."""
    operation = entry.operation
    if entry.generic:
        how = f".syntax = &{entry.stem}_syntax,\n     .generic = &{entry.stem}_operation"
    else:
        name = f"tau_command_{entry.stem}"
        how = f".syntax = &{name}_syntax,\n     .run = {name}"
    named = f'"{operation.name}"' if operation else "NULL"
    doc = _quote(operation.doc) if operation else '""'
    return (
        f'    {{.name = "{entry.name}",\n'
        f"     .summary = {_quote(entry.summary)},\n"
        f"     .doc = {doc},\n"
        f"     .operation = {named},\n"
        f"     {how}}},\n"
    )


def _header(entries: list[_Entry]) -> str:
    parts = [_HEADER]
    for entry in entries:
        if not entry.generic:
            name = f"tau_command_{entry.stem}"
            parts.append(f"extern const struct cli_syntax {name}_syntax;\n")
            parts.append(f"int {name}(struct cli *cli, int argc, char **argv);\n")
    parts.append("\n#endif\n")
    return "".join(parts)


def _source(model: Model, entries: list[_Entry]) -> str:
    generic = [e for e in entries if e.generic]
    used: list[Type] = []
    arrays: list[Field] = []
    for entry in generic:
        assert entry.operation is not None
        fields = entry.operation.request.fields + entry.operation.response.fields
        used += [f.type for f in fields] + [m.type for f in fields for m in f.type.members]
        arrays += _results(entry.operation)[1]
    parts = [
        "/* SPDX-License-Identifier: MIT */\n",
        "/* Generated from the specification: the commands of tau-cli. */\n",
        '#include "tau_cli_commands.h"\n\n#include <stddef.h>\n#include <string.h>\n\n',
        '#include "generic.h"\n\n',
        _choice_tables(model, used),
        _accessors(arrays),
    ]
    for entry in generic:
        assert entry.operation is not None and entry.cli is not None
        parts.append(_operation(entry, entry.operation, entry.cli))
    rows = "".join(_command(e) for e in entries)
    parts.append(f"const struct cli_command tau_cli_commands[] = {{\n{rows}}};\n")
    parts.append(
        "const size_t tau_cli_command_count =\n"
        "    sizeof(tau_cli_commands) / sizeof(tau_cli_commands[0]);\n"
    )
    return "".join(parts)


def emit(model: Model) -> dict[str, str]:
    """The table of commands."""
    entries = _entries(model)
    return {
        "tau_cli_commands.h": _header(entries),
        "tau_cli_commands.c": _source(model, entries),
    }
