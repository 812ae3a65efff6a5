# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""Sessions of each released version, replayed both ways.

`released/N/session.jsonl` holds what a client of version N sent and what the server of that time
answered, every operation of it. Here those bytes go to today's server, whose answers must say the
same; and today's clients in C, Python and JavaScript talk to a server that plays the recorded
answers and holds their requests against the recorded ones. What may differ between two servers
(names, limits, identities, words of an error) is left out by field. Where the headers of that
version bear another number than today's, there is no session: either side says so, and nothing is
misread.

A new release is recorded from its own server by running this with --record DIRECTORY, which keeps
its vectors and its lock there too; what is recorded is never written again.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import tau_raw as raw
from tau_node import PACKAGE, NoNode, find_node
from tau_raw import ERR, OK, Reply, label
from tau_server import CERTIFICATE, PATIENCE, SOURCE_DIR, Server, clean_environment

RELEASED = SOURCE_DIR / "tests/conformance/released"
PROGRAM = Path(os.environ.get("TAU_BUILD_DIR", ".")) / "tests" / "conformance_released"
PYTHON = [sys.executable, str(Path(__file__).with_name("released_client.py"))]
SCRIPT = Path(__file__).with_name("released_client.mjs")
CLIENTS = ("c", "python", "asyncio", "javascript")

A, B, KELVIN, SAME, BOTH = map(label, ("rel.a", "rel.b", "rel.kelvin", "rel.same", "rel.both"))


class Step(NamedTuple):
    """A request as it was sent, and the frames that answered it."""

    name: str
    sent: bytes
    received: tuple[bytes, ...]

    @property
    def version(self) -> int:
        return self.sent[3]

    @property
    def opcode(self) -> int:
        return self.sent[4]


def requests() -> Iterator[tuple[str, bytes]]:
    """The session that is recorded; released.c, released_client.py and released_client.mjs make the
    same calls in the same order."""
    def lens(new: bytes, source: bytes, transform: str) -> bytes:
        return raw.frame(raw.CREATE_LENS, new + source + label(transform))

    yield "connect", raw.frame(raw.CONNECT, CERTIFICATE)
    features = raw.FEATURE_DETAILED_ERRORS
    yield "negotiate", raw.frame(raw.NEGOTIATE, raw.negotiate_payload(features))
    yield "ping", raw.frame(raw.PING)
    yield "create", raw.frame(raw.CREATE_SERIES, A)
    yield "create_again", raw.frame(raw.CREATE_SERIES, A)
    yield "append", raw.append_frame(A, 5, 1.5)
    yield "append_late", raw.append_frame(A, 5, 2.5)
    yield "batch", raw.frame(raw.BATCH_APPEND, raw.batch_payload(A, [6, 6, 8], [2.5, 3.5, 4.5]))
    rows = [(A, 9, 5.5), (B, 1, 1.0)]
    yield "multi", raw.frame(raw.MULTI_APPEND, raw.multi_payload(rows))
    yield "query", raw.query_frame(A, 8)
    yield "query_nothing", raw.query_frame(A, 7)
    yield "range", raw.range_frame(A, direction=raw.BACKWARD)
    yield "latest", raw.frame(raw.QUERY_LATEST, A)
    yield "describe", raw.frame(raw.DESCRIBE_SERIES, A)
    yield "list", raw.frame(raw.LIST_SERIES, raw.list_payload(b"rel."))
    yield "lens", lens(KELVIN, A, "celsius_to_kelvin")
    yield "lens_of_nothing", lens(SAME, B, "identity")
    yield "lens_same", lens(SAME, A, "identity")
    yield "compose", raw.frame(raw.COMPOSE_LENS, BOTH + KELVIN + SAME)
    yield "query_lens", raw.query_frame(BOTH, 5, raw.QUERY_LENS)
    yield "lenses", raw.frame(raw.LIST_LENSES)
    yield "drop_lens", raw.frame(raw.DROP_LENS, KELVIN)
    yield "drop", raw.frame(raw.DROP_SERIES, A)
    yield "drop_again", raw.frame(raw.DROP_SERIES, A)
    yield "cancel", raw.frame(raw.CANCEL)
    yield "specification", raw.frame(raw.SPECIFICATION)
    yield "disconnect", raw.frame(raw.DISCONNECT)


def exchange(connection: raw.Connection, sent: bytes) -> tuple[bytes, ...]:
    """Sends one request and gives the frames of its answer."""
    connection.send(sent)
    return tuple(raw.frame(r.opcode, r.payload, r.flags) for r in connection.stream())


def record(folder: Path) -> None:
    with Server() as server, server.open() as connection:
        lines = [
            json.dumps({"name": name, "send": sent.hex(),
                        "receive": [f.hex() for f in exchange(connection, sent)]}) + "\n"
            for name, sent in requests()
        ]  # fmt: skip
    path = folder / "session.jsonl"
    with path.open("x", encoding="utf-8") as file:
        file.writelines(lines)
    for name in ("vectors.jsonl", "lock.toml"):
        with (folder / name).open("xb") as kept:
            kept.write((SOURCE_DIR / "protocol/published" / name).read_bytes())


def recorded(folder: Path) -> list[Step]:
    lines = (folder / "session.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        Step(r["name"], bytes.fromhex(r["send"]), tuple(map(bytes.fromhex, r["receive"])))
        for r in rows
    ]


def versions() -> list[Path]:
    return sorted(path.parent for path in RELEASED.glob("*/session.jsonl"))


def bearing(steps: list[Step], version: int) -> list[Step]:
    """The same session with headers of another version."""
    def changed(frames: bytes) -> bytes:
        return frames[:3] + bytes([version]) + frames[4:]

    return [Step(s.name, changed(s.sent), tuple(map(changed, s.received))) for s in steps]


# --- what an answer says ----------------------------------------------------------------------


def _negotiated(payload: bytes) -> dict[str, Any]:
    """Names and the fingerprint of the whole are every server's own; the rest is promised."""
    says = raw.parse_negotiated(payload)
    return {"features": says.features, "limits": says.limits, "operations": says.operations}


def _described(payload: bytes) -> dict[str, Any]:
    """Identity and memory are those of a server's data."""
    says = raw.parse_description(payload)._asdict()
    return {name: says[name] for name in says if name not in ("identity", "memory_bytes")}


def _specified(payload: bytes) -> dict[str, Any]:
    """What a document says of operations; it may say more of them later."""
    says = json.loads(payload)
    operations = [o for service in says["services"] for o in service["operations"]]
    prints = {o["name"]: (o["code"], o["fingerprint"]) for o in operations}
    return {"name": says["name"], "operations": prints}


READERS = {raw.NEGOTIATE: _negotiated, raw.DESCRIBE_SERIES: _described,
           raw.SPECIFICATION: _specified}  # fmt: skip


def meaning(opcode: int, frame: bytes) -> Any:
    """What a frame says that every server of the version must say too."""
    reply = Reply(frame[4], frame[5], frame[10:])
    if reply.opcode == ERR:  # status, field and offset; the words may differ
        return (ERR, reply.payload[:7])
    if reply.opcode == OK and opcode in READERS:
        return READERS[opcode](reply.payload)
    return reply


def promises(old: Any, new: Any, key: Any = None) -> bool:
    """Whether the new meaning keeps what the old one said: it may list more, and allow more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(k in new and promises(old[k], new[k], key if key else k) for k in old)
    return bool(old <= new if key == "limits" else old == new)


# --- the server of that time ------------------------------------------------------------------


class Player:
    """Plays recorded answers to whoever asks the recorded questions, in their order."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = list(steps)
        self.faults: list[str] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(20 * PATIENCE)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    @property
    def address(self) -> str:
        host, port = self.socket.getsockname()
        return f"{host}:{port}"

    def finish(self) -> list[str]:
        """What went wrong, and what was never asked. The C library ends without DISCONNECT."""
        self.thread.join()
        self.socket.close()
        left = [step for step in self.steps if step.opcode != raw.DISCONNECT]
        return self.faults + [f"{step.name} was not asked for" for step in left]

    def run(self) -> None:
        try:
            with self.socket.accept()[0] as peer, peer.makefile("rb") as stream:
                peer.settimeout(20 * PATIENCE)
                while head := stream.read(raw.HEADER_SIZE):
                    (length,) = struct.unpack(">I", head[6:10])
                    if not self.answer(peer, head + stream.read(length)):
                        return
        except OSError as error:
            self.faults.append(str(error))

    def answer(self, peer: socket.socket, sent: bytes) -> bool:
        """Answers a request; False when no other one follows."""
        if not self.steps or self.steps[0].opcode != sent[4]:
            self.faults.append(f"asked {sent.hex()}, where {self.steps[:1]} was recorded")
            return False
        step = self.steps.pop(0)
        if step.opcode == raw.NEGOTIATE:  # another client: another name, other operations
            same = sent[10:18] == step.sent[10:18]
        else:
            same = sent == step.sent
        if not same:
            self.faults.append(f"{step.name}: sent {sent.hex()}, not {step.sent.hex()}")
        peer.sendall(b"".join(step.received))
        return step.opcode != raw.DISCONNECT  # whose answer is a server's last


class Replay(unittest.TestCase):
    """Every released version against today's server and today's clients."""

    def test_every_operation_is_recorded(self) -> None:
        self.assertIn(RELEASED / "1", versions())
        for folder in versions():
            steps = recorded(folder)
            asked = {step.opcode for step in steps}
            offered = next(meaning(raw.NEGOTIATE, s.received[0])["operations"] for s in steps
                           if s.opcode == raw.NEGOTIATE)  # fmt: skip
            with self.subTest(folder.name):
                self.assertEqual(sorted(set(offered) - asked), [])

    def test_old_client_and_new_server(self) -> None:
        for folder in versions():
            steps = recorded(folder)
            if steps[0].version != raw.VERSION:
                self.refused_by_the_server(steps)
                continue
            with Server() as server, server.open() as connection:
                for step in steps:
                    with self.subTest(step.name, version=folder.name):
                        found = exchange(connection, step.sent)
                        self.assertEqual(len(found), len(step.received))
                        for old, new in zip(step.received, found):
                            was, now = meaning(step.opcode, old), meaning(step.opcode, new)
                            self.assertTrue(promises(was, now), f"{now} is not {was}")
                self.assertEqual(connection.wait_for_end(5 * PATIENCE), b"")

    def refused_by_the_server(self, steps: list[Step]) -> None:
        with Server() as server, server.open() as connection:
            connection.send(steps[0].sent + steps[1].sent)
            reply = connection.receive()
            self.assertEqual((reply.opcode, reply.payload), (ERR, bytes([raw.BAD_VERSION])))
            self.assertEqual(connection.wait_for_end(5 * PATIENCE), b"")

    def refused_by_the_client(self, client: str, steps: list[Step]) -> None:
        """Its requests are not those of that version, whose server says so and closes."""
        head = steps[0].received[0]
        refusal = head[:4] + bytes([ERR, 0, 0, 0, 0, 1, raw.BAD_VERSION])
        code, said, faults = self.run_client(client, [steps[0]._replace(received=(refusal,))])
        self.assertNotEqual(code, 0, said)
        self.assertRegex(faults[0], "^connect: sent ")

    def command(self, client: str) -> list[str]:
        """What runs the calls of the session through a client."""
        if client == "c":
            return [str(PROGRAM)]
        if client != "javascript":
            return PYTHON + ["blocking" if client == "python" else client]
        try:
            return [find_node(), str(SCRIPT)]
        except NoNode as why:
            self.skipTest(str(why))

    def run_client(self, client: str, steps: list[Step]) -> tuple[int, str, list[str]]:
        """Gives its exit code, what it said, and what it asked that was not recorded."""
        command = self.command(client)
        player = Player(steps)
        env = clean_environment({"TAU_SERVER": player.address, "TAU_JS": str(PACKAGE),
                                 "TAU_CERTIFICATE": CERTIFICATE.hex()})  # fmt: skip
        result = subprocess.run(command, env=env, capture_output=True, text=True,
                                timeout=30 * PATIENCE, check=False)  # fmt: skip
        return result.returncode, result.stderr, player.finish()

    def test_new_client_and_old_server(self) -> None:
        for folder in versions():
            steps = recorded(folder)
            for client in CLIENTS:
                with self.subTest(client, version=folder.name):
                    if steps[0].version != raw.VERSION:
                        self.refused_by_the_client(client, steps)
                        continue
                    code, said, faults = self.run_client(client, steps)
                    self.assertEqual((code, faults), (0, []), said)

    def test_a_version_with_another_header(self) -> None:
        steps = bearing(recorded(RELEASED / "1"), 0xFE)
        self.refused_by_the_server(steps)
        for client in CLIENTS:
            with self.subTest(client):
                self.refused_by_the_client(client, steps)
        text = (RELEASED / "1/vectors.jsonl").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="tau-released-") as directory:
            path = Path(directory) / "vectors.jsonl"
            path.write_text(text.replace('"54415501', '"544155fe'), encoding="utf-8")
            command = [str(PROGRAM.with_name("conformance_vectors")), "--released", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, "[0-9]{4,} checks, 0 failures")

    def test_another_answer_is_noticed(self) -> None:
        """Each client's program must see a value that is not the recorded one."""
        steps = bearing(recorded(RELEASED / "1"), raw.VERSION)
        at = next(number for number, step in enumerate(steps) if step.name == "query")
        frame = steps[at].received[0]
        steps[at] = steps[at]._replace(received=(frame[:-8] + raw.bits(4.25),))
        for client in CLIENTS:
            with self.subTest(client):
                code, said, _ = self.run_client(client, steps)
                self.assertNotEqual(code, 0)
                self.assertIn("4.5", said)

    def test_another_request_is_noticed(self) -> None:
        """The player must see a request that is not the recorded one."""
        steps = bearing(recorded(RELEASED / "1"), raw.VERSION)
        at = next(number for number, step in enumerate(steps) if step.name == "append")
        steps[at] = steps[at]._replace(sent=steps[at].sent[:-8] + raw.bits(1.25))
        for client in CLIENTS:
            with self.subTest(client):
                _, _, faults = self.run_client(client, steps)
                self.assertEqual(len(faults), 1)
                self.assertRegex(faults[0], "^append: sent ")

    def test_a_promise_that_is_broken_is_noticed(self) -> None:
        """Each of these differs in one field that is not left out."""
        frames = {step.name: (step.opcode, step.received[0]) for step in recorded(RELEASED / "1")}
        for name, at in (("negotiate", 17), ("negotiate", -1), ("negotiate", 41),
                         ("describe", 18), ("describe", -1), ("create_again", 10),
                         ("append_late", 12), ("query", -1), ("ping", 4)):
            opcode, frame = frames[name]
            changed = bytearray(frame)
            changed[at] ^= 0x01
            with self.subTest(name, at=at):
                old, new = meaning(opcode, frame), meaning(opcode, bytes(changed))
                self.assertTrue(promises(old, old))
                self.assertFalse(promises(old, new))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        record(Path(sys.argv[2]))
    else:
        unittest.main()
