# SPDX-License-Identifier: MIT
"""Makes a model of the tables of a specification.

Everything that can be judged where it is written is judged here, so that an error names its line;
what takes the whole model to see is left to `check`.
"""

from __future__ import annotations

from dataclasses import replace

from . import canonical
from .errors import SpecificationError
from .load import Table
from .model import (
    RANGE,
    ROLES,
    Check,
    Cli,
    Command,
    Event,
    Feature,
    Flag,
    Header,
    HeaderField,
    Limit,
    Model,
    Operation,
    Payload,
    Place,
    Reply,
    Service,
    State,
    Status,
    Transition,
)
from .payloads import PayloadResolver, Scope, bound
from .types import TypeResolver

CLASSES = ("ok", "request", "retry", "fatal", "unknown")
ENDINGS = ("ok", "failed", "exhausted")
_UPPER = r"[A-Z][A-Z0-9_]*"


class Unique:
    """Refuses a name or a number that was taken before, and says where."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.taken: dict[object, Place] = {}

    def take(self, table: Table, key: str, value: object) -> None:
        if value in self.taken:
            shown = f"{value:#04x}" if isinstance(value, int) else f"`{value}`"
            wrong = f"the {self.what} {shown} is taken by {self.taken[value]}"
            table.fail(key, wrong, f"another {self.what}")
        self.taken[value] = table.place(key)


class Resolver:
    """Holds what later parts of the specification refer to."""

    def __init__(self, files: list[Table]) -> None:
        self.files = files
        self.root = files[0]
        self.version = 0
        self.limits: dict[str, Limit] = {}
        self.features: dict[str, Feature] = {}
        self.statuses: dict[str, Status] = {}
        self.states: dict[str, State] = {}
        self.replies: dict[str, Reply] = {}
        self.opcodes = Unique("opcode")
        self.frames = Unique("name")
        self.commands = Unique("command")
        self.services = Unique("service")

    def every(self, key: str) -> list[Table]:
        """The tables of this key in every file."""
        return [t for f in self.files for t in f.tables(key)]

    def run(self) -> Model:
        protocol = self.root.table("protocol")
        name, version = protocol.name(), protocol.integer("version", 1, 255)
        self.version = version
        listen, doc = protocol.text("default_listen"), protocol.doc()
        self.first_push = self._first_push(protocol)
        protocol.done()
        self._limits()
        if "payload_bytes" not in self.limits:
            self.root.fail(None, "the limit `payload_bytes` is missing", "a [[limit]] of this name")
        self.header = self._header()
        flags = self._flags()
        self._features()
        self._statuses()
        self._states()
        types = TypeResolver(self.every("type"), version)
        self.scope = Scope(
            types, self.limits, self.features, self.limits["payload_bytes"].value, version
        )
        types.all()
        self._replies()
        services = self._services()
        known = {o.name: o for s in services for o in s.operations}
        events: dict[str, Event] = {}
        transitions = [self._transition(t, known, events) for t in self.root.tables("transition")]
        checks = self._checks()
        commands = self._commands()
        for file in self.files:
            file.done()
        model = Model(
            name, version, listen, self.first_push, doc, self.header, flags,
            tuple(sorted(self.limits.values(), key=lambda x: x.number)),
            tuple(types.found.values()),
            tuple(sorted(self.features.values(), key=lambda f: f.bit)),
            tuple(self.states.values()), tuple(events.values()), tuple(transitions),
            tuple(checks),
            tuple(sorted(self.statuses.values(), key=lambda s: s.code)),
            tuple(sorted(self.replies.values(), key=lambda r: r.code)),
            tuple(services), tuple(commands), 0,
            tuple(f.source.file for f in self.files),
        )  # fmt: skip
        layout = canonical.specification_layout(model)
        return replace(model, fingerprint=canonical.fingerprint(layout))

    def _first_push(self, protocol: Table) -> int:
        """Services have the opcodes in front of those of pushes, and replies those behind them."""
        first = protocol.integer("first_push_opcode", RANGE, 0x100 - 2 * RANGE)
        if first % RANGE:
            wrong = f"{first:#04x} begins no range"
            protocol.fail("first_push_opcode", wrong, f"a multiple of {RANGE:#x}")
        return first

    def _limits(self) -> None:
        numbers, names = Unique("number"), Unique("name")
        for row in self.every("limit"):
            name, number = row.name(), row.integer("number", 1, 0xFFFF)
            names.take(row, "name", name)
            numbers.take(row, "number", number)
            value = row.integer("value", 1, (1 << 32) - 1)
            self.limits[name] = Limit(name, number, value, row.text("unit"), row.doc(), row.place())
            row.done()

    def _header(self) -> Header:
        fields: list[HeaderField] = []
        offset = 0
        sizes = {"u8": 1, "u16": 2, "u32": 4}
        names = Unique("name")
        for row in self.root.tables("header"):
            names.take(row, "name", name := row.name())
            kind = row.choice("type", ("bytes", "u8", "u16", "u32"))
            value: int | str | None = None
            if kind == "bytes":
                size = row.integer("size", 1, 8)
                value = row.text("value")
                if len(value.encode()) != size:
                    row.fail("value", f"`{value}` has another size", f"{size} bytes")
            else:
                size = sizes[kind]
                if name == "version":
                    value = self._header_version(row)
                elif row.has("value"):
                    value = row.integer("value", 0, (1 << 8 * size) - 1)
            limit = bound(row, "max", self.limits, (1 << 32) - 1)[1]
            fields.append(HeaderField(name, kind, offset, size, value, limit, row.doc()))
            row.done()
            offset += size
        names_found = [f.name for f in fields]
        wanted = ["magic", "version", "opcode", "flags", "payload_length"]
        if names_found != wanted:
            place = self.root.place("header")
            wrong = f"the header has the fields {', '.join(names_found) or 'none'}"
            raise SpecificationError(place, wrong, ", ".join(wanted))
        return Header(tuple(fields), offset)

    def _header_version(self, row: Table) -> int:
        """What frames say is the protocol's version, stated there and nowhere else."""
        if row.has("value"):
            row.fail("value", "frames carry the version of [protocol]", "no `value`")
        return self.version

    def _flags(self) -> tuple[Flag, ...]:
        names, values = Unique("name"), Unique("flag")
        flags: list[Flag] = []
        for row in self.root.tables("flag"):
            name, value = row.name(), row.integer("value", 1, 128)
            if value & (value - 1):
                row.fail("value", f"{value:#04x} is more than one bit", "a power of two")
            names.take(row, "name", name)
            values.take(row, "value", value)
            flags.append(Flag(name, value, row.doc(), row.place()))
            row.done()
        return tuple(sorted(flags, key=lambda f: f.value))

    def _features(self) -> None:
        names, bits = Unique("name"), Unique("bit")
        for row in self.every("feature"):
            name, bit = row.name(), row.integer("bit", 0, 63)
            names.take(row, "name", name)
            bits.take(row, "bit", bit)
            self.features[name] = Feature(name, bit, row.doc(), row.place())
            row.done()

    def _statuses(self) -> None:
        names, codes = Unique("name"), Unique("status code")
        for row in self.every("status"):
            name, local = row.name(), row.flag("local")
            low, high = (0x100, 0x1FF) if local else (0, 0xFF)
            code = row.integer("code", low, high)
            names.take(row, "name", name)
            codes.take(row, "code", code)
            group = row.choice("class", CLASSES)
            if (code == 0) != (group == "ok"):
                row.fail("class", f"`{name}` is of class `{group}`", "ok for code 0 and no other")
            self.statuses[name] = Status(name, code, group, local, row.doc(), row.place())
            row.done()
        if not any(s.code == 0 for s in self.statuses.values()):
            self.root.fail(None, "no status has the code 0", "a status of class ok")

    def status(self, table: Table, key: str, name: str, place: Place) -> Status:
        if name not in self.statuses:
            raise SpecificationError(place, f"there is no status `{name}`", "one that is stated")
        if self.statuses[name].local:
            wrong = f"the status `{name}` is local"
            raise SpecificationError(place, wrong, "one that crosses the wire")
        return self.statuses[name]

    def _states(self) -> None:
        names = Unique("name")
        for row in self.root.tables("state"):
            names.take(row, "name", name := row.name())
            initial, final = row.flag("initial"), row.flag("final")
            refusal = None
            if row.has("refuses_with"):
                text = row.text("refuses_with")
                refusal = self.status(row, "refuses_with", text, row.place("refuses_with"))
            if final == (refusal is not None):
                row.fail("refuses_with", f"the state `{name}` does not fit `refuses_with`",
                         "it in each state but the final one")  # fmt: skip
            if initial and any(s.initial for s in self.states.values()):
                row.fail("initial", f"`{name}` is a second initial state", "one initial state")
            if final and any(s.final for s in self.states.values()):
                row.fail("final", f"`{name}` is a second final state", "one final state")
            self.states[name] = State(name, initial, final, refusal, row.doc(), row.place())
            row.done()
        for what in ("initial", "final"):
            if not any(getattr(s, what) for s in self.states.values()):
                self.root.fail("state", f"no state is {what}", f"one state with `{what} = true`")

    def _replies(self) -> None:
        for file in self.files:
            for row in file.tables("reply"):
                name, code = row.name(pattern=_UPPER), row.integer("code", 1, 0xFF)
                self.frames.take(row, "name", name)
                self.opcodes.take(row, "code", code)
                first = self._first_opcode(file.table("service"))
                replies = self.first_push + RANGE
                if not first <= code < first + RANGE and code < replies:
                    wrong = f"the opcode {code:#04x} is outside of its range"
                    own = f"{first:#04x} to {first + RANGE - 1:#04x}"
                    row.fail("code", wrong, f"{own}, or {replies:#04x} to 0xff")
                since, doc = self._since(row), row.doc()
                resolver = PayloadResolver(name.lower(), self.scope, False, True)
                payload = resolver.run(row.tables("payload"))
                self.replies[name] = Reply(name, code, since, doc, payload, row.place())
                row.done()
        for name in ("OK", "ERR"):
            if name not in self.replies:
                self.root.fail(None, f"the reply `{name}` is missing", "a [[reply]] of this name")

    def _since(self, row: Table) -> int:
        """The version of the protocol that brought something: none that is still to come."""
        since = row.integer("since", 1, 255)
        if since > self.version:
            wrong = f"`since` is {since}, but this is version {self.version} of the protocol"
            row.fail("since", wrong, f"at most {self.version}")
        return since

    def _first_opcode(self, service: Table) -> int:
        first = service.integer("first_opcode", 0, self.first_push - RANGE)
        if first % RANGE:
            wrong = f"{first:#04x} begins no range"
            service.fail("first_opcode", wrong, f"a multiple of {RANGE:#x}")
        return first

    def _services(self) -> list[Service]:
        services: list[Service] = []
        ranges = Unique("range")
        for file in self.files:
            rows = file.tables("operation")
            if not rows and not file.has("service"):
                continue
            table = file.table("service")
            first = self._first_opcode(table)
            self.services.take(table, "name", name := table.name())
            ranges.take(table, "first_opcode", first)
            doc, place = table.doc(), table.place()
            table.done()
            if not rows and not file.has("reply"):
                wrong = f"the service `{name}` has no operation"
                raise SpecificationError(place, wrong, "at least one [[operation]] or [[reply]]")
            found = [self._operation(row, name, first) for row in rows]
            found.sort(key=lambda o: o.code)
            services.append(Service(name, first, doc, tuple(found), place))
        return sorted(services, key=lambda s: s.first_opcode)

    def _operation(self, row: Table, service: str, first: int) -> Operation:
        name, code = row.name(pattern=_UPPER), row.integer("code", 1, 0xFF)
        self.frames.take(row, "name", name)
        self.opcodes.take(row, "code", code)
        if not first <= code < first + RANGE:
            wrong = f"the opcode {code:#04x} is outside of the service's range"
            row.fail("code", wrong, f"{first:#04x} to {first + RANGE - 1:#04x}")
        kind = row.choice("kind", ("unary", "stream"))
        extensible = row.flag("extensible")
        batched = row.flag("batched")
        if batched and kind != "unary":
            row.fail("batched", "a stream cannot be batched", "`batched` only with kind unary")
        reply_name = row.text("reply", "OK")
        if reply_name not in self.replies or reply_name == "ERR":
            row.fail("reply", f"`{reply_name}` is no reply of success", "a reply that is stated")
        reply = self.replies[reply_name]
        low = name.lower()
        request = PayloadResolver(f"{low}_request", self.scope, extensible, False).run(
            row.tables("request")
        )
        response = PayloadResolver(f"{low}_response", self.scope, extensible, False).run(
            row.tables("response")
        )
        for payload, title in ((request, "request"), (response, "response")):
            self._check_size(row, kind, title, payload.max_size, payload.extensible)
        if reply_name != "OK" and not response.empty:
            row.fail("response", f"`{reply_name}` carries no response", "no `response`")
        if extensible and request.empty and response.empty:
            row.fail("extensible", "an empty operation is not extensible", "a field")
        statuses = tuple(self.status(row, "statuses", t, p) for t, p in row.texts("statuses"))
        layout = canonical.operation_layout(code, kind, reply_name, request, response)
        operation = Operation(
            name, code, self._since(row), kind,
            row.choice("effect", ("read", "write")), row.choice("scope", ("any", "session")),
            row.choice("role", ROLES), service, self._operation_states(row), batched,
            row.flag("negotiated"), extensible, reply, statuses, row.doc(), request, response,
            self._cli(row, request), layout, canonical.fingerprint(layout), row.place(),
        )  # fmt: skip
        row.done()
        return operation

    def _check_size(self, row: Table, kind: str, title: str, size: int, extensible: bool) -> None:
        """A frame of a stream's reply has a bound of its own."""
        if kind == "stream" and title == "response" and "stream_frame_bytes" in self.limits:
            most = self.limits["stream_frame_bytes"].value - self.header.size
            if size > most or extensible:
                wrong = f"a frame of the stream may carry {size} bytes"
                row.fail(title, wrong, f"at most {most}")

    def _operation_states(self, row: Table) -> tuple[str, ...]:
        states = row.texts("states")
        if not states:
            row.fail("states", "the operation is legal nowhere", "at least one state")
        for name, place in states:
            if name not in self.states or self.states[name].final:
                wrong = f"`{name}` is no state of requests"
                raise SpecificationError(place, wrong, "a state that is not final")
        return tuple(s for s, _ in states)

    def _cli(self, row: Table, request: Payload) -> Cli | None:
        if not row.has("cli"):
            return None
        table = row.table("cli")
        command = table.name("command", r"[a-z][a-z0-9-]*")
        self.commands.take(table, "command", command)
        summary, custom = table.text("summary"), table.flag("custom")
        arguments = table.texts("arguments")
        if custom == table.has("arguments"):
            table.fail("command", "the command must be custom or have arguments",
                       "either `custom = true` or `arguments`")  # fmt: skip
        fields = {f.name: f for f in request.fields}
        for name, place in arguments:
            if name not in fields or fields[name].is_array:
                wrong = f"`{name}` is no argument"
                raise SpecificationError(place, wrong, "a field of the request, not an array")
        left = [n for n in fields if n not in (a for a, _ in arguments)]
        if not custom and left:
            table.fail("arguments", f"`{left[0]}` is not among the arguments", "every field")
        table.done()
        return Cli(command, summary, tuple(a for a, _ in arguments), custom, table.place())

    def _transition(
        self, row: Table, known: dict[str, Operation], events: dict[str, Event]
    ) -> Transition:
        source, target = row.text("from"), row.text("to")
        for key, name in (("from", source), ("to", target)):
            if name not in self.states:
                row.fail(key, f"there is no state `{name}`", "one of " + ", ".join(self.states))
        if self.states[source].final:
            row.fail("from", f"nothing leaves the final state `{source}`", "another state")
        text = row.text("on")
        operation, _, ending = text.partition(".")
        if text != "refused":
            if operation not in known or ending not in ENDINGS:
                expected = "refused, or an operation with ." + " or .".join(ENDINGS)
                row.fail("on", f"`{text}` is no event", expected)
            if source not in known[operation].states:
                row.fail("on", f"`{operation}` is not legal in `{source}`", "a legal operation")
        event = events.setdefault(text, Event(text.lower().replace(".", "_"), text))
        doc = row.text("doc", "")
        row.done()
        return Transition(source, event, target, doc, row.place())

    def _checks(self) -> list[Check]:
        found: list[Check] = []
        wanted = ["magic", "version", "opcode", "payload_limit", "state", "flags", "payload_length"]
        for row in self.root.tables("check"):
            name = row.choice("name", tuple(wanted))
            if len(found) >= len(wanted) or name != wanted[len(found)]:
                row.fail("name", f"the check `{name}` is out of order", ", ".join(wanted))
            status = self.status(row, "status", row.text("status"), row.place("status"))
            found.append(Check(name, status, row.flag("closes"), row.text("doc", "")))
            row.done()
        if len(found) < len(wanted):
            self.root.fail("check", f"the check `{wanted[len(found)]}` is missing", "all of them")
        return found

    def _commands(self) -> list[Command]:
        found: list[Command] = []
        for row in self.every("command"):
            name = row.name(pattern=r"[a-z][a-z0-9-]*")
            self.commands.take(row, "name", name)
            found.append(Command(name, row.text("summary"), row.place()))
            row.done()
        return found


def resolve(files: list[Table]) -> Model:
    """Makes the model of a specification's files, the root first."""
    return Resolver(files).run()
