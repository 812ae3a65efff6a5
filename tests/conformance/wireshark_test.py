# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""The generated Wireshark dissector, as tshark runs it: every field of every golden vector, frames
cut and glued together anyhow, a session of a real server, and bytes that are no frames."""

from __future__ import annotations

import random
import sys
import tempfile
import unittest
from pathlib import Path

from capture_file import (CLIENT_PORT, PUBLISHED, Capture, Connection, Exchange, cut_exchanges,
                          example_of, exchanges, expand, expected_error, one_connection_each,
                          vectors)
from recorder import Recorder
from tau_cli import Cli
from tau_server import CERTIFICATE, Server
from wireshark import TSHARK, Frame, dissect

if TSHARK is None:
    print("tshark is not installed")
    sys.exit(77)

OTHER_PORT = 9000


class Vectors(unittest.TestCase):
    maxDiff = 3000

    def check(self, exchange: Exchange, frames: list[Frame]) -> None:
        """Takes the frames of an exchange from the list and compares every field of the last."""
        vector = exchange.vector
        shown = [frames.pop(0) for _ in range(2 if exchange.reply else 1)]
        last, raw = shown[-1], exchange.frame
        self.assertEqual((last.opcode, last.flags, last.length),
                         (raw[4], raw[5], len(raw) - 10), vector["name"])
        self.assertEqual(last.operation, exchange.operation, vector["name"])
        self.assertEqual(last.direction, "reply" if exchange.reply else "request", vector["name"])
        self.assertEqual(last.error, expected_error(vector), vector["name"])
        if "fields" in vector:
            self.assertEqual(last.payload, vector["payload"])
            self.assertEqual(last.fields, vector["fields"], vector["name"])
            self.assertEqual(last.extra, vector.get("extra", 0), vector["name"])
        if exchange.reply:
            self.assertEqual(last.answers, shown[0].packet, vector["name"])

    def test_every_vector(self) -> None:
        all_ = exchanges()
        frames = dissect(one_connection_each(all_).pcap())
        for exchange in all_:
            self.check(exchange, frames)
        self.assertEqual(frames, [])

    def test_every_shorter_payload(self) -> None:
        all_ = [exchange for exchange, _ in cut_exchanges()]
        self.assertGreater(len(all_), 500)
        frames = dissect(one_connection_each(all_).pcap())
        for exchange in all_:
            self.check(exchange, frames)

    def test_a_wrong_dissector_is_noticed(self) -> None:
        """Three faults, planted in what is generated and in what is not: a comparison must fail."""
        text = (PUBLISHED / "tau.lua").read_text(encoding="utf-8")
        all_ = [e for e in exchanges() if len(e.frame) < 60_000]
        capture = one_connection_each(all_).pcap()
        for right, wrong in (('name = "timestamp",', 'name = "time",'),
                             ("or self:fail(field, at + valid)", "or self:fail(field, at)"),
                             ("if present > 1 then", "if present > 2 then")):
            self.assertIn(right, text)
            with tempfile.TemporaryDirectory(prefix="tau-dissector-") as directory:
                path = Path(directory) / "tau.lua"
                path.write_text(text.replace(right, wrong), encoding="utf-8")
                with self.assertRaises((AssertionError, IndexError)):
                    frames = dissect(capture, dissector=path)
                    for exchange in all_:
                        self.check(exchange, frames)


class Headers(unittest.TestCase):
    def test_headers(self) -> None:
        """What the vectors say of headers: right ones with their payload, and wrong ones."""
        capture = Capture()
        rows = [v for v in vectors() if "header" in v and
                ("status" in v or v["fields"]["payload_length"] < 100)]
        for number, row in enumerate(rows):
            payload = b"\0" * row["fields"]["payload_length"] if "fields" in row else b""
            Connection(capture, CLIENT_PORT + number).send(expand(row["header"]) + payload)
        by_packet: dict[int, list[Frame]] = {}
        for frame in dissect(capture.pcap()):
            by_packet.setdefault(frame.packet, []).append(frame)
        for number, row in enumerate(rows, 1):
            first = by_packet[number][0]
            if "fields" in row:
                self.assertEqual((first.opcode, first.flags, first.length),
                                 tuple(row["fields"].values()), row["name"])
            else:
                self.assertEqual(first.error, (row["status"], None, row["offset"]), row["name"])


class Streams(unittest.TestCase):
    """Frames however they lie in segments."""

    def setUp(self) -> None:
        self.all = [e for e in exchanges() if len(e.frame) < 3000 and "fields" in e.vector]
        self.wanted = self.strip(dissect(one_connection_each(self.all).pcap()))

    @staticmethod
    def strip(frames: list[Frame]) -> list[tuple[object, ...]]:
        """What does not depend on the packets, in the order of requests and in that of replies."""
        rows = [(f.direction, f.operation, f.opcode, f.flags, f.length, f.fields, f.error, f.extra)
                for f in frames]
        return sorted(rows, key=lambda row: row[0] == "reply")

    def test_frames_in_odd_pieces(self) -> None:
        for piece in (1, 11, 37):
            some = self.all if piece > 30 else self.all[::20]
            wanted = self.strip(dissect(one_connection_each(some).pcap()))
            with self.subTest(piece=piece):
                found = dissect(one_connection_each(some, piece=piece).pcap())
                self.assertEqual(self.strip(found), wanted)

    def test_many_frames_on_one_connection(self) -> None:
        """All requests, then all replies, cut without regard to where frames begin."""
        for piece in (7, 1448):
            capture = Capture()
            connection = Connection(capture, CLIENT_PORT, opened=True)
            connection.send(b"".join(e.request for e in self.all), piece=piece)
            # A request without a reply in the vectors is answered, so that the order is kept.
            replies = [e.reply or b"TAU\x01\xff\0\0\0\0\x01\x0a" for e in self.all]
            connection.send(b"".join(replies), reply=True, piece=piece)
            for two_passes in (False, True):
                with self.subTest(piece=piece, two_passes=two_passes):
                    frames = dissect(capture.pcap(), two_passes=two_passes)
                    self.assertEqual(len(frames), 2 * len(self.all))
                    for number, exchange in enumerate(self.all):
                        request, reply = frames[number], frames[len(self.all) + number]
                        self.assertEqual(reply.operation, exchange.operation)
                        self.assertEqual(reply.answers, request.packet)
                        if two_passes:
                            self.assertEqual(request.answered_in, reply.packet)
                        if exchange.reply:
                            self.assertEqual(reply.fields, exchange.vector["fields"])

    def test_segments_out_of_order_and_twice(self) -> None:
        some = self.all[::5]
        capture = Capture()
        for number, exchange in enumerate(some):
            connection = Connection(capture, CLIENT_PORT + number, opened=True)
            for data, reply in ((exchange.request, False), (exchange.reply, True)):
                begin = len(capture.packets)
                connection.send(data, reply, 20)
                sent = capture.packets[begin:]
                for at in range(0, len(sent) - 1, 2):
                    sent[at:at + 2] = [sent[at + 1], sent[at]]
                capture.packets[begin:] = sent + sent[:1]
        found = dissect(capture.pcap(), "-o", "tcp.reassemble_out_of_order:TRUE")
        wanted = dissect(one_connection_each(some).pcap())
        self.assertEqual(self.strip(found), self.strip(wanted))

    def test_a_stream_of_frames_with_more(self) -> None:
        capture = Capture()
        connection = Connection(capture, CLIENT_PORT, opened=True)
        batch = example_of("query_range_response")
        more = batch[:5] + b"\x01" + batch[6:]
        connection.send(example_of("query_range_request") + example_of("append_request"))
        connection.send(more + more + batch + b"TAU\x01\xf0\0\0\0\0\0", reply=True)
        frames = dissect(capture.pcap())
        self.assertEqual([f.operation for f in frames],
                         ["QUERY_RANGE", "APPEND"] + ["QUERY_RANGE"] * 3 + ["APPEND"])
        self.assertEqual([f.flags for f in frames], [0, 0, 1, 1, 0, 0])
        self.assertEqual(frames[2].fields, frames[4].fields)


class Recognition(unittest.TestCase):
    def test_magic_on_another_port(self) -> None:
        some = [e for e in exchanges() if len(e.frame) < 3000]
        found = dissect(one_connection_each(some, server_port=OTHER_PORT).pcap())
        wanted = dissect(one_connection_each(some).pcap())
        self.assertEqual([f.fields for f in found], [f.fields for f in wanted])
        self.assertEqual([f.operation for f in found], [f.operation for f in wanted])

    def test_nothing_else_on_another_port(self) -> None:
        capture = Capture()
        Connection(capture, CLIENT_PORT, OTHER_PORT).send(b"GET / HTTP/1.0\r\n\r\n")
        Connection(capture, CLIENT_PORT + 1, OTHER_PORT).send(b"TAV\x01" + b"\0" * 20)
        self.assertEqual(dissect(capture.pcap()), [])


class Garbage(unittest.TestCase):
    """Whatever the bytes, the dissector neither fails in Lua nor stops finding frames."""

    def test_random_bytes(self) -> None:
        dice = random.Random(7701)
        capture = Capture()
        for port in range(300):
            connection = Connection(capture, CLIENT_PORT + port)
            for _ in range(4):
                connection.send(dice.randbytes(dice.randrange(1, 200)), dice.random() < 0.5)
        self.assertTrue(all(f.error or f.bytes for f in dissect(capture.pcap())))

    def test_damaged_frames(self) -> None:
        dice = random.Random(7702)
        small = [e for e in exchanges() if len(e.frame) < 2000]
        damaged = []
        for exchange in dice.choices(small, k=1500):
            raw = bytearray(exchange.frame)
            for _ in range(dice.randrange(1, 4)):
                raw[dice.randrange(3, len(raw))] = dice.choice((0, 1, 2, 0x7F, 0x80, 0xFF))
            end = dice.randrange(10, len(raw) + 1) if dice.random() < 0.3 else len(raw)
            if exchange.reply:
                damaged.append(Exchange({}, exchange.request, bytes(raw[:end]), ""))
            else:
                damaged.append(Exchange({}, bytes(raw[:end]), b"", ""))
        self.assertGreater(len(dissect(one_connection_each(damaged).pcap())), 1000)
        self.assertGreater(len(dissect(one_connection_each(damaged, piece=13).pcap())), 1000)

    def test_frames_behind_noise(self) -> None:
        capture = Capture()
        frame = example_of("append_request")
        Connection(capture, CLIENT_PORT).send(b"T TA noise TAT" + frame + b"more TATATA" + frame)
        frames = dissect(capture.pcap())
        self.assertEqual([f.fields.get("timestamp") for f in frames if f.opcode == 0x20],
                         [1_700_000_000_000_000_000] * 2)
        self.assertIn(("bad_magic", None, 0), [f.error for f in frames])

    def test_a_packet_that_the_capture_cut(self) -> None:
        capture = one_connection_each(exchanges()[:1])
        whole = capture.pcap()
        length = len(capture.packets[0])
        cut = whole[:24 + 8] + (length - 5).to_bytes(4, "little") + whole[24 + 12:-5]
        frames = dissect(cut)
        self.assertEqual([f.bytes for f in frames], [42 - 5])


class Live(unittest.TestCase):
    """What tau-cli and taud say to each other, recorded between them and cut into odd segments."""

    def session(self, server: Server, piece: int, *args: str, stdin: str = "",
                code: int = 0) -> list[Frame]:
        assert isinstance(server.address, tuple)
        recorder = Recorder(server.address, piece)
        recorder.start()
        cli = Cli(server, {"TAU_SERVER": recorder.address})
        done = cli.run(*args, stdin=stdin)
        self.assertEqual(done.returncode, code, done)
        recorder.join(30)
        frames = dissect(recorder.capture.pcap())
        self.assertEqual([f.operation for f in frames[:2] if f.direction == "request"][0],
                         "CONNECT")
        for frame in frames:
            self.assertEqual(frame.bytes, 0)
            if frame.opcode != 0xFF:
                self.assertIsNone(frame.error)
        return frames

    def test_sessions(self) -> None:
        with Server() as server:
            points = "".join(f"long,{at},{at / 4}\n" for at in range(10_000))
            frames = self.session(server, 777, "import", "-", stdin=points)
            self.assertEqual(sum(f.fields.get("accepted") or 0 for f in frames), 10_000)
            connect = next(f for f in frames if f.operation == "CONNECT")
            self.assertEqual(connect.fields, {"certificate": CERTIFICATE.hex()})
            hello = [f for f in frames if f.operation == "NEGOTIATE"]
            self.assertTrue(hello[0].fields["client_name"].startswith("tau-cli"))
            self.assertTrue(hello[1].fields["server_name"].startswith("taud"))
            frames = self.session(server, 1001, "range", "long")
            batches = [f for f in frames if f.operation == "QUERY_RANGE" and f.direction == "reply"]
            self.assertEqual([f.flags for f in batches], [1] * (len(batches) - 1) + [0])
            self.assertEqual(sum(f.fields["count"] for f in batches), 10_000)
            frames = self.session(server, 5, "append", "long", "5", "1", code=4)
            refusal = frames[-1]
            self.assertEqual((refusal.opcode, refusal.operation), (0xFF, "APPEND"))
            self.assertEqual(refusal.fields["status"], "out_of_order")
            self.assertTrue(refusal.fields["text"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
