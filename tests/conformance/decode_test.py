# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""tau-cli decode and --trace: every golden vector as text and as a capture, and the same facts as
the Wireshark dissector shows, frame by frame."""

from __future__ import annotations

import json
import re
import struct
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Optional

from capture_file import (CLIENT_PORT, SPECIFICATION, Capture, Connection, Exchange, cut_exchanges,
                          exchanges, expected_error, one_connection_each, vectors)
from recorder import Recorder
from tau_cli import TAU_CLI, Cli
from tau_server import CERTIFICATE, Server
from wireshark import LONG_ARRAY, LONG_BYTES, PAYLOADS, TSHARK, Frame, dissect

if not TAU_CLI.exists():
    print("tau-cli is not built")
    sys.exit(77)

ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")
HIDDEN = "hidden"
LIMIT_NUMBERS = {limit["name"]: limit["number"] for limit in SPECIFICATION["limits"]}


def bytes_of_label(text: str) -> str:
    raw = ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), text.encode())
    return raw.ljust(32, b"\0").hex()


def bits_of(value: Any) -> str:
    """The bits of an f64 as the vectors write them, of what tau-cli prints in JSON."""
    text = str(value)
    exact = re.fullmatch(r"-?nan\(0x([0-9a-f]{1,16})\)", text)
    if exact:
        return "0x" + exact[1].rjust(16, "0")
    return "0x" + struct.pack(">d", float(text)).hex()


def value_of(type_name: str, value: Any) -> Any:
    """A printed value as the vectors write it."""
    type_ = SPECIFICATION["types"].get(type_name, {"kind": "status"})
    if value is None or value == HIDDEN:
        return value
    if type_["kind"] == "struct":
        return {m["name"]: value_of(m["type"], value[m["name"]]) for m in type_["members"]}
    if type_["kind"] == "bytes":
        return bytes_of_label(value)
    if type_["kind"] == "float":
        return bits_of(value)
    if type_["kind"] == "bool":
        return bool(value)
    if type_name == "fingerprint":
        return int(value, 16)
    if type_name == "limit_number":
        return LIMIT_NUMBERS.get(value) or int(value)
    return int(value) if re.fullmatch(r"-?[0-9]+", value) else str(value)


def field_of(row: dict[str, Any], value: Any) -> Any:
    if value is None or value == HIDDEN:
        return value
    if row["shape"] in ("counted_array", "rest_array"):
        if len(value) > LONG_ARRAY:
            return {"elements": len(value)}
        return [value_of(row["type"], item) for item in value]
    if row["shape"] in ("sized", "rest"):
        blob = SPECIFICATION["types"][row["type"]]["kind"] == "blob"
        size = len(value) // 2 if blob else len(value.encode())
        return {"bytes": size} if size > LONG_BYTES else value
    return value_of(row["type"], value)


def layout_of(row: dict[str, Any]) -> str:
    """The name of the payload that a printed frame has."""
    if row["direction"] == "request":
        return f"{row['opcode'].lower()}_request"
    if row["opcode"] == "ERR":
        return "err"
    return f"{(row['operation'] or '').lower()}_response"


def read_row(row: dict[str, Any]) -> Frame:
    """A printed object as what the dissector shows."""
    frame = Frame(0, row["direction"], row.get("operation"), row.get("code"), row.get("flags"),
                  row.get("length"), bytes=row.get("bytes", 0), extra=row.get("extra", 0))
    if row["error"]:
        frame.error = (row["error"]["status"], row["error"]["field"], row["error"]["offset"])
    if row.get("fields"):
        frame.payload = layout_of(row)
        frame.fields = {r["name"]: field_of(r, row["fields"].get(r["name"]))
                        for r in PAYLOADS[frame.payload]["fields"]}
    return frame


def decode(data: bytes, *options: str) -> list[Frame]:
    with tempfile.TemporaryDirectory(prefix="tau-decode-") as directory:
        path = Path(directory) / "input"
        path.write_bytes(data)
        text = Cli().ok("decode", "--format", "jsonl", "--time", "ns", *options, path)
    # Numbers stay text: -0 has a sign, and none is rounded before it is looked at.
    rows = [json.loads(line, parse_float=str, parse_int=str) for line in text.splitlines()]
    for row in rows:
        for key in ("code", "flags", "length", "bytes", "extra", "stream"):
            if key in row:
                row[key] = int(row[key])
        if row["error"]:
            row["error"]["offset"] = int(row["error"]["offset"])
    return [read_row(row) for row in rows]


def without_secret(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: HIDDEN if name == "certificate" else value for name, value in fields.items()}


class Vectors(unittest.TestCase):
    maxDiff = 3000

    def check(self, exchange: Exchange, frames: list[Frame]) -> None:
        vector, raw = exchange.vector, exchange.frame
        last = [frames.pop(0) for _ in range(2 if exchange.reply else 1)][-1]
        self.assertEqual((last.opcode, last.flags, last.length),
                         (raw[4], raw[5], len(raw) - 10), vector["name"])
        self.assertEqual(last.operation, exchange.operation, vector["name"])
        self.assertEqual(last.error, expected_error(vector), vector["name"])
        if "fields" in vector:
            self.assertEqual(last.fields, without_secret(vector["fields"]), vector["name"])
            self.assertEqual(last.extra, vector.get("extra", 0), vector["name"])

    def test_every_vector_as_text(self) -> None:
        """One frame behind the other, in lines or without a blank, in one conversation."""
        all_ = exchanges()
        for glue in ("\n", ""):
            text = glue.join((e.request + e.reply).hex() if e.reply else
                             e.request.hex() + glue + "54415501ff000000000103" for e in all_)
            frames = decode(text.encode())
            for exchange in all_:
                self.check(exchange, frames)
                if not exchange.reply:
                    self.assertEqual(frames.pop(0).operation, exchange.operation)
            self.assertEqual(frames, [])

    def test_every_vector_in_captures(self) -> None:
        all_ = [e for e in exchanges() if len(e.frame) < 100_000]
        for ipv6, order in ((False, "<"), (True, ">")):
            capture = Capture(ipv6)
            for number, exchange in enumerate(all_):
                connection = Connection(capture, CLIENT_PORT + number, opened=ipv6)
                connection.send(exchange.request, piece=50)
                connection.send(exchange.reply, reply=True, piece=41)
            for data in (capture.pcap(order, nanoseconds=ipv6), capture.pcapng(order)):
                frames = decode(data)
                for exchange in all_:
                    self.check(exchange, frames)
                self.assertEqual(frames, [])

    def test_every_shorter_payload(self) -> None:
        all_ = [exchange for exchange, _ in cut_exchanges()]
        frames = decode(one_connection_each(all_).pcap())
        for exchange in all_:
            self.check(exchange, frames)

    def test_headers(self) -> None:
        for row in vectors():
            if "header" in row and "status" in row and not row["name"].startswith("header/opcode_"):
                with self.subTest(row["name"]):
                    first = decode(row["header"].encode())[0]
                    self.assertEqual(first.error, (row["status"], None, row["offset"]))
        unknown = [v for v in vectors() if v["name"].startswith("header/opcode_")]
        frames = decode("".join(v["header"] for v in unknown).encode())
        self.assertEqual([f.error for f in frames], [("bad_opcode", None, 4)] * len(unknown))

    def test_segments_in_any_order(self) -> None:
        some = [e for e in exchanges() if 60 < len(e.frame) < 3000]
        capture = Capture()
        for number, exchange in enumerate(some):
            begin = len(capture.packets)
            connection = Connection(capture, CLIENT_PORT + number, opened=True, first=2**32 - 30)
            connection.send(exchange.request, piece=9)
            capture.packets[begin + 3:] = reversed(capture.packets[begin + 3:])
            connection.send(exchange.reply, reply=True, piece=9)
            capture.packets += capture.packets[begin:begin + 3]  # sent twice
        frames = decode(capture.pcap())
        for exchange in some:
            self.check(exchange, frames)
        self.assertEqual(frames, [])


@unittest.skipIf(TSHARK is None, "tshark is not installed")
class SameFacts(unittest.TestCase):
    """What both say of the same capture, but for the certificate and what is numbered otherwise."""

    maxDiff = 3000

    def facts(self, frame: Frame) -> tuple[Any, ...]:
        fields: Optional[dict[str, Any]] = without_secret(frame.fields)
        if frame.error:
            fields = None  # the dissector shows what is right in front of a fault
        return (frame.direction, frame.operation, frame.opcode, frame.flags, frame.length, fields,
                frame.error, frame.extra)

    def compare(self, capture: Capture) -> None:
        shown, printed = dissect(capture.pcap()), decode(capture.pcap())
        self.assertEqual([self.facts(f) for f in shown], [self.facts(f) for f in printed])

    def test_vectors(self) -> None:
        self.compare(one_connection_each(e for e in exchanges() if len(e.frame) < 200_000))

    def test_a_session(self) -> None:
        with Server() as server:
            assert isinstance(server.address, tuple)
            for args, stdin in ((("import", "-"), "".join(f"a,{i},{i}\n" for i in range(9000))),
                                (("range", "a"), ""), (("lens-create", "l", "a", "returns"), ""),
                                (("list",), "")):
                recorder = Recorder(server.address, 1400)
                recorder.start()
                Cli(server, {"TAU_SERVER": recorder.address}).run(*args, stdin=stdin)
                recorder.join(30)
                self.assertGreaterEqual(len(recorder.capture.packets), 6)
                self.compare(recorder.capture)


class Trace(unittest.TestCase):
    def test_trace(self) -> None:
        with Server() as server:
            cli = Cli(server)
            done = cli.run("append", "kitchen", "1", "21.5", "--create", "--trace")
            self.assertEqual((done.returncode, done.stdout), (0, b""), done)
            lines = done.stderr.decode().splitlines()
            self.assertIn("> CONNECT flags=0x00 length=32 certificate=hidden", lines)
            self.assertIn("< OK to CONNECT flags=0x00 length=0", lines)
            self.assertTrue(any(x.startswith("> CREATE_SERIES ") for x in lines), lines)
            self.assertIn('> APPEND flags=0x00 length=48 label="kitchen" '
                          "timestamp=1970-01-01T00:00:00.000000001Z value=21.5", lines)
            self.assertIn("< OK to APPEND flags=0x00 length=0", lines)
            for secret in (CERTIFICATE, CERTIFICATE.hex().encode(), CERTIFICATE[:8]):
                self.assertNotIn(secret, done.stderr)
            self.assertEqual(cli.run("get", "kitchen", "1", "--trace").stdout, b"21.5\n")
            self.assertEqual(cli.run("get", "kitchen", "1").stderr, b"")

    def test_every_client_of_a_command(self) -> None:
        with Server() as server:
            done = Cli(server).run("bench", "append", "--connections", "3", "--depth", "2",
                                   "--duration", "20ms", "--trace")
            lines = done.stderr.decode().splitlines()
            self.assertEqual(sum(x.startswith("> CONNECT ") for x in lines), 4)
            self.assertGreater(len(lines), 12)
            self.assertFalse([x for x in lines if "unknown request" in x])
            self.assertFalse([x for x in lines if x[:2] not in ("> ", "< ")])


if __name__ == "__main__":
    unittest.main(verbosity=2)
