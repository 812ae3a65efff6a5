# SPDX-License-Identifier: MIT
"""The protocol's reference in Markdown, with byte pictures and an example of each frame."""

from __future__ import annotations

from typing import Any

from . import picture
from .model import Field, Model, Operation, Payload, Reply, Shape, Type, TypeKind
from .values import Codec

GROUP = "published"
OUTPUTS = ("reference.md",)


def emit(model: Model) -> dict[str, str]:
    return {"reference.md": _Reference(model).text()}


def one_line(text: str) -> str:
    """Text that fits a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(one_line(c) for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n\n"


def type_word(field: Field) -> str:
    """How a field lies on the wire, in words."""
    name = field.type.name
    top = field.limit.name if field.limit else None
    words = {
        Shape.FIXED: name,
        Shape.OPTIONAL: f"u8 0 or 1, then {name} only if 1",
        Shape.SIZED: f"u{field.prefix * 8} length, then {name}",
        Shape.REST: f"{name}, the rest",
        Shape.COUNTED_ARRAY: f"{name} x `{field.count_field}`",
        Shape.REST_ARRAY: f"{name} x the rest",
    }[field.shape]
    if field.shape is Shape.FIXED:
        low, high = field.minimum, field.maximum
        if low is not None or high is not None:
            words += f", {low if low is not None else 0} to {top or high}"
    elif field.shape in (Shape.SIZED, Shape.REST, Shape.REST_ARRAY):
        words += f", at most {top or field.max_bytes or field.max_count}"
    return words


def size_word(field: Field) -> str:
    if field.size is not None:
        return str(field.size)
    return f"{field.min_size} to {field.max_size}"


def byte_picture(payload: Payload) -> str:
    """Boxes of a payload's parts; widths follow the names, sizes stand below."""
    cells: list[tuple[str, str]] = []
    for field in payload.fields:
        if field.shape is Shape.OPTIONAL:
            cells += [("0/1", "1"), (field.name, f"{field.type.size} if 1")]
        elif field.shape is Shape.SIZED:
            cells += [("length", str(field.prefix)), (field.name, "length")]
        elif field.shape is Shape.REST:
            cells.append((field.name, "rest"))
        elif field.shape is Shape.COUNTED_ARRAY:
            cells.append((field.name, f"{field.type.size} x {field.count_field}"))
        elif field.shape is Shape.REST_ARRAY:
            cells.append((field.name, f"{field.type.size} x N"))
        else:
            cells.append((field.name, str(field.type.size)))
    lines: list[str] = []
    for group in _rows_of(cells):
        widths = [max(len(a), len(b)) + 2 for a, b in group]
        edge = "+" + "+".join("-" * w for w in widths) + "+"
        lines += [edge, "|" + "|".join(a.center(w) for (a, _), w in zip(group, widths)) + "|", edge]
        lines.append(" " + " ".join(b.center(w) for (_, b), w in zip(group, widths)).rstrip())
    return "```text\n" + "\n".join(lines) + "\n```\n\n"


def _rows_of(cells: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Breaks the boxes into rows that fit a page."""
    rows: list[list[tuple[str, str]]] = [[]]
    width = 0
    for cell in cells:
        own = max(len(cell[0]), len(cell[1])) + 3
        if rows[-1] and width + own > 96:
            rows.append([])
            width = 0
        rows[-1].append(cell)
        width += own
    return rows


def hex_dump(raw: bytes) -> str:
    """Bytes as hexdump -C prints them."""
    lines: list[str] = []
    for at in range(0, len(raw), 16):
        part = raw[at : at + 16]
        left = " ".join(f"{b:02x}" for b in part[:8])
        right = " ".join(f"{b:02x}" for b in part[8:])
        letters = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        lines.append(f"{at:08x}  {left:<23}  {right:<23}  |{letters}|")
    return "```text\n" + "\n".join(lines) + "\n```\n\n"


class _Reference:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.codec = Codec(model)

    def text(self) -> str:
        parts = [
            "# The Tau protocol, version " + str(self.model.version) + "\n\n"
            "<!-- SPDX-License-Identifier: MIT. Generated from protocol/*.toml by the target "
            "`publish`; changes are lost. -->\n\n" + self.model.doc + "\n\n"
            f"A server listens on `{self.model.default_listen}` by default. The fingerprint of "
            f"this specification is `{self.model.fingerprint:016x}`.\n\n",
            self._overview(), self._frame(), self._session(), self._types(),
            *(self._service(s.name) for s in self.model.services),
            self._replies(), self._statuses(), self._limits(), self._closing(),
        ]  # fmt: skip
        return "".join(parts).rstrip() + "\n"

    def _overview(self) -> str:
        rows = [
            [
                f"`{o.code:#04x}`", f"[{o.name}](#{o.name.lower()})", o.kind, o.effect,
                "after negotiation" if o.negotiated else "always",
                o.cli.command if o.cli else "",
            ]
            for o in self.model.operations
        ]  # fmt: skip
        head = ["code", "operation", "kind", "effect", "may be sent", "tau-cli"]
        return "## Operations\n\n" + table(head, rows)

    def _frame(self) -> str:
        header = self.model.header
        rows = []
        for f in header.fields:
            fixed = "" if f.value is None else f"`{f.value}`"
            bound = f"at most {f.limit.value}" if f.limit else ""
            rows.append([str(f.offset), str(f.size), f.name, f.type, fixed + bound, f.doc])
        text = f"## Frame header\n\n{header.size} bytes in front of every payload.\n\n"
        text += table(["offset", "size", "field", "type", "value", ""], rows)
        rows = [[f"`{f.value:#04x}`", f.name, f.doc] for f in self.model.flags]
        text += "Flags:\n\n" + table(["bit", "name", ""], rows)
        rows = [
            [str(n + 1), c.name, f"{c.status.name} (`{c.status.code:#04x}`)",
             "closes" if c.closes else "stays open", c.doc]
            for n, c in enumerate(self.model.checks)
        ]  # fmt: skip
        text += "The server checks a request in this order, all from its header; the first check "
        text += "that fails answers, and nothing of the payload is needed for it.\n\n"
        return text + table(["", "check", "answer", "connection", ""], rows)

    def _session(self) -> str:
        text = "## Session\n\n" + picture.mermaid(self.model) + "\nThe same as [an SVG]"
        text += "(session.svg). An event that is not drawn leaves the state as it is.\n\n"
        rows = [[s.name, s.doc] for s in self.model.states]
        text += table(["state", ""], rows)
        rows = [[t.source, t.event.text, t.target, t.doc] for t in self.model.transitions]
        text += table(["state", "event", "next", ""], rows)
        names = [s.name for s in self.model.states if not s.final]
        rows = []
        for operation in self.model.operations:
            cells = ["yes" if n in operation.states else "no" for n in names]
            rows.append([operation.name, *cells])
        answers = []
        for state in self.model.states:
            if state.refuses_with:
                answers.append(f"in `{state.name}` by {state.refuses_with.name}")
        text += "Which operation is legal in which state. One that is not is answered "
        text += ", ".join(answers) + ".\n\n"
        return text + table(["operation", *names], rows)

    def _types(self) -> str:
        text = "## Types\n\nBuilt in: `u8`, `u16`, `u32`, `u64`, `i64`, `f64`, `bool` (one byte, "
        text += "0 or 1), `status` (one byte), `text` (UTF-8) and `bytes`.\n\n"
        for type_ in self.model.types:
            if not type_.builtin:
                text += self._type(type_)
        return text

    def _type(self, type_: Type) -> str:
        doc = " ".join(type_.doc.split())
        what = f"an {type_.alias_of}" if type_.alias_of else type_.wire
        if type_.kind is TypeKind.STRUCT:
            what = f"{type_.size} bytes"
        if type_.kind is TypeKind.ENUM:
            what = f"{type_.wire}, one of the values below"
            if type_.open:
                what = f"{type_.wire}; later versions may add values"
        unit = f" In {type_.unit}." if type_.unit else ""
        text = f"### `{type_.name}`\n\n{doc}{unit} On the wire: {what}.\n\n"
        if type_.members:
            rows = [[str(m.offset), str(m.size), m.name, m.type.name, m.doc] for m in type_.members]
            text += table(["offset", "size", "member", "type", ""], rows)
        if type_.values:
            rows = [[str(v.value), v.name, v.doc] for v in type_.values]
            text += table(["value", "name", ""], rows)
        return text

    def _service(self, name: str) -> str:
        service = next(s for s in self.model.services if s.name == name)
        doc = " ".join(service.doc.split())
        last = service.first_opcode + 15
        text = f"## Service `{name}`\n\n{doc} "
        text += f"Opcodes `{service.first_opcode:#04x}` to `{last:#04x}`.\n\n"
        return text + "".join(self._operation(o) for o in service.operations)

    def _operation(self, operation: Operation) -> str:
        text = f"### {operation.name}\n\n{operation.doc}\n\n"
        facts = [
            ["opcode", f"`{operation.code:#04x}`"],
            ["since", f"version {operation.since}"],
            ["kind", self._kind(operation)],
            ["legal in", ", ".join(operation.states)],
            ["role", operation.role],
            ["answer", f"{operation.reply.name} or ERR"],
            ["fingerprint", f"`{operation.fingerprint:016x}`"],
        ]
        if operation.negotiated:
            facts.append(["may be sent", "only after NEGOTIATE listed it"])
        if operation.extensible:
            facts.append(["extensible", "later versions may add fields at the end"])
        if operation.cli:
            facts.append(["tau-cli", f"`{operation.cli.command}`: {operation.cli.summary}"])
        if operation.statuses:
            facts.append(["its statuses", ", ".join(f"`{s.name}`" for s in operation.statuses)])
        text += table(["", ""], facts)
        text += self._payload("Request", operation.request)
        text += self._payload("Response", operation.response)
        text += f"An example of the request, header included{self._said(operation.request)}:\n\n"
        text += self._example(operation.request, operation.code)
        text += f"and of its answer{self._said(operation.response)}:\n\n"
        return text + self._example(operation.response, operation.reply.code)

    def _kind(self, operation: Operation) -> str:
        if operation.is_stream:
            return "read, answered by a stream of frames: all but the last carry the flag `more`"
        return f"{operation.effect}, answered by one frame"

    def _payload(self, title: str, payload: Payload) -> str:
        if payload.empty:
            return f"{title}: empty.\n\n"
        size = f"{payload.min_size} to {payload.max_size} bytes"
        if payload.size is not None:
            size = f"{payload.size} bytes"
        text = f"{title}, {size}:\n\n" + byte_picture(payload)
        rows = [
            [str(f.number), f.name, type_word(f), size_word(f), f"{f.words} {self._needs(f)}"]
            for f in payload.fields
        ]
        return text + table(["field", "name", "type", "size", ""], rows)

    def _needs(self, field: Field) -> str:
        needs = f"Only with the feature `{field.feature.name}`." if field.feature else ""
        unit = f" In {field.unit}." if field.unit and field.unit != field.type.unit else ""
        return needs + unit

    def _said(self, payload: Payload) -> str:
        """The example's values in words."""
        if payload.empty:
            return ""
        value = self.codec.example(payload)
        words = [
            f"`{f.name}` {self._word(f, value[f.name])}" for f in payload.fields if not f.is_array
        ]
        return " (" + ", ".join(words) + ")" if words else ""

    def _word(self, field: Field, value: Any) -> str:
        if isinstance(value, bytes):
            return f'"{value.decode()}"'
        if isinstance(value, dict):
            return " and ".join(str(v) for v in value.values())
        if field.type.kind is TypeKind.TEXT:
            return f'"{value}"'
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _example(self, payload: Payload, code: int) -> str:
        raw = b"" if payload.empty else self.codec.encode(payload, self.codec.example(payload))[0]
        return hex_dump(self.codec.header(code, len(raw)) + raw)

    def _replies(self) -> str:
        text = "## Replies\n\nFrames that only a server sends.\n\n"
        for reply in self.model.replies:
            text += f"### {reply.name}\n\nOpcode `{reply.code:#04x}`. {reply.doc}\n\n"
            if not reply.payload.empty:
                text += self._payload("Payload", reply.payload)
                text += f"An example{self._said(reply.payload)}:\n\n"
                text += self._example(reply.payload, reply.code)
                text += self._short(reply)
        return text

    def _short(self, reply: Reply) -> str:
        """The same reply on a session without features."""
        if not any(f.feature for f in reply.payload.fields):
            return ""
        value = self.codec.example(reply.payload)
        value.update({f.name: None for f in reply.payload.fields if f.feature})
        raw, _ = self.codec.encode(reply.payload, value)
        text = "The same on a session without the feature:\n\n"
        return text + hex_dump(self.codec.header(reply.code, len(raw)) + raw)

    def _statuses(self) -> str:
        wire = self.model.wire_statuses
        rows = [[f"`{s.code:#04x}`", s.name, s.status_class, s.doc] for s in wire]
        text = "## Statuses\n\nThe class says what a caller may do: `ok` nothing, `request` mend "
        text += "the request, `retry` send it again later, `fatal` give up, `unknown` find out "
        text += "whether the write happened. A status that a client does not know fails that "
        text += "request only.\n\n"
        stated = {s.name for o in self.model.operations for s in o.statuses}
        stated |= {c.status.name for c in self.model.checks}
        free = [f"`{s.name}`" for s in wire if s.code and s.name not in stated]
        if free:
            text += f"Any operation may also be answered by {', '.join(free)}.\n\n"
        text += table(["code", "name", "class", ""], rows)
        text += "The client library reports these of itself; they never cross the wire.\n\n"
        local = [s for s in self.model.statuses if s.local]
        rows = [[f"`{s.code:#05x}`", s.name, s.status_class, s.doc] for s in local]
        return text + table(["code", "name", "class", ""], rows)

    def _limits(self) -> str:
        rows = [[str(x.number), x.name, str(x.value), x.unit, x.doc] for x in self.model.limits]
        text = "## Limits\n\nA server may run with lower ones; NEGOTIATE tells them by number.\n\n"
        text += table(["number", "name", "value", "unit", ""], rows)
        rows = [[str(f.bit), f.name, f.doc] for f in self.model.features]
        return text + "## Features\n\n" + table(["bit", "name", ""], rows)

    def _closing(self) -> str:
        return """## Golden vectors

`vectors.jsonl` holds right and wrong headers and frames, one JSON object a line:

- `header`: the bytes of a header; `frame`: a header and its payload. Bytes are hexadecimal, and
  `(3*00ff)` stands for the bytes `00ff` three times.
- `payload`: what the frame carries, for example `append_request`.
- `fields`: what a right one means. Bytes are hexadecimal, an f64 is its bits, text is text. Arrays
  of more than 16 elements and bytes of more than 64 are written as their number. `null`: not there.
- `status`, `field`, `offset`: how a wrong one is refused; the field counts from 0, `null` is none.
  The offset is in the payload, or in the header.
- `cuts`: what happens when the payload is cut to each shorter length, from 0 on, as runs of
  `[field, lengths]`: the field that is then not whole, at the offset where the payload ends; `null`
  where it is right even so.
- `extra`: how many bytes of the payload belong to a later version and are skipped.
"""
