# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The checker of recorded traffic: traffic with everything in it passes, each thing that is taken
out is missed by its name, and each spoilt answer is found.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable, ClassVar

import check
from corpus import Corpus, Talk, sample, write_file
from published import LINE, Specification, read_json
from session import judge, watch
from tally import Item, Tally, items
from traffic import read_file

MODEL = Specification(check.PUBLISHED)
OPERATIONS = {operation.name: operation for operation in MODEL.operations}
TALKS = list(Corpus(MODEL).talks())


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="tau-coverage-")
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)

    def judged(self, talks: list[Talk], model: Specification = MODEL) -> Tally:
        """What the judges say of these talks, which go through a file."""
        path = self.path / "taud-1.traffic"
        write_file(path, talks)
        tally = Tally(model)
        for connection in read_file(path):
            (watch if connection.played else judge)(tally, connection)
        return tally

    def run_check(self, talks: list[Talk]) -> tuple[int, str, str]:
        """Exit code, table and findings of the command."""
        write_file(self.path / "taud-1.traffic", talks)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = check.main([str(self.path)])
        return code, out.getvalue(), err.getvalue()


class Gaps(Folder):
    judged_once: ClassVar[list[tuple[Talk, Tally]]] = []

    def test_nothing_is_missing(self) -> None:
        code, table, findings = self.run_check(TALKS)
        self.assertEqual((code, findings), (0, ""))
        self.assertIn("APPEND answered by OK", table)

    def test_whatever_is_taken_out_is_missed(self) -> None:
        """For every item: without the connections that exercise it, it is a gap; with them not."""
        single = self.single()
        whole = Tally(MODEL)
        for _, tally in single:
            whole.add(tally)
        self.assertEqual((whole.gaps(), whole.problems), ([], []))
        for item in items(MODEL):
            with self.subTest(item.name):
                rest = Tally(MODEL)
                for _, tally in single:
                    if tally.of(item) == 0:
                        rest.add(tally)
                self.assertIn(item, rest.gaps())

    def single(self) -> list[tuple[Talk, Tally]]:
        """Each talk, and what it shows alone."""
        if not Gaps.judged_once:
            Gaps.judged_once = [(talk, self.judged([talk])) for talk in TALKS]
        return Gaps.judged_once

    def without(self, section: str, name: str) -> tuple[int, str]:
        """The command's exit code and findings on what is left without this item."""
        item = next(i for i in items(MODEL) if (i.section, i.name) == (section, name))
        kept = [talk for talk, tally in self.single() if tally.of(item) == 0]
        code, _, findings = self.run_check(kept)
        self.assertIn(f"specification.json:{item.line}: {section} never exercised: {name}\n",
                      findings)
        return code, findings

    def test_findings_name_what_is_missing(self) -> None:
        for section, name in (
                ("operation", "QUERY_LATEST answered by OK"), ("status", "lens_not_found"),
                ("value", "QUERY_RANGE request: direction = backward"),
                ("session", "new -- CONNECT.exhausted -> closed"),
                ("session", "check version refuses"), ("session", "PONG refused in authenticated"),
                ("limit", "MULTI_APPEND.count beyond 87381 refused"),
                ("limit", "lens_transforms = 16: one more refused")):
            with self.subTest(name):
                self.assertEqual(self.without(section, name)[0], 1)

    def test_lines_lead_to_the_thing(self) -> None:
        lines = check.PUBLISHED.read_text(encoding="utf-8").splitlines()
        item = next(i for i in items(MODEL) if i.name == "read_only")
        self.assertEqual(lines[item.line - 1].strip(), "{")
        self.assertEqual(lines[item.line].strip(), '"name": "read_only",')

    def test_no_traffic(self) -> None:
        code, _, findings = self.run_check([])
        self.assertEqual(code, 1)
        self.assertEqual(findings.count("\n"), len(items(MODEL)))

    def test_what_a_played_server_sends_counts_for_clients_only(self) -> None:
        talk = Corpus(MODEL).open(played=True)
        talk.fail(OPERATIONS["APPEND"], "out_of_order")
        talk.fail(OPERATIONS["APPEND"], "internal_error")
        missing = {item.name for item in self.judged([talk]).gaps()}
        self.assertIn("out_of_order", missing)
        self.assertIn("APPEND refused by ERR", missing)
        self.assertNotIn("internal_error", missing)


class Model(Folder):
    def test_json_is_read_as_by_others(self) -> None:
        text = check.PUBLISHED.read_text(encoding="utf-8")

        def bare(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: bare(inner) for key, inner in value.items() if key != LINE}
            return [bare(inner) for inner in value] if isinstance(value, list) else value

        self.assertEqual(bare(read_json(text)), json.loads(text))
        tricky = '{"a": "\\u00e9\\n\\"}{", "b": [-1, 1.5e3, true, null, {}, []]}'
        self.assertEqual(bare(read_json(tricky)), json.loads(tricky))

    def changed(self, change: Callable[[Any], None]) -> list[Item]:
        """What is missing by a changed specification, in traffic with everything in it."""
        document = json.loads(check.PUBLISHED.read_text(encoding="utf-8"))
        change(document)
        path = self.path / "specification.json"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return self.judged(TALKS, Specification(path)).gaps()

    def test_what_is_added_is_missing(self) -> None:
        def add_status(document: Any) -> None:
            document["statuses"].append({**document["statuses"][3], "name": "too_late", "code": 99})

        def add_limit(document: Any) -> None:
            document["limits"].append({**document["limits"][0], "name": "patience", "number": 99})

        def add_value(document: Any) -> None:
            document["types"]["direction"]["values"].append(
                {"name": "sideways", "value": 2, "doc": ""})

        self.assertEqual([gap.name for gap in self.changed(add_status)], ["too_late"])
        self.assertEqual([gap.name for gap in self.changed(add_limit)],
                         ["patience = 4194304: exercised: no rule is known"])
        self.assertEqual([gap.name for gap in self.changed(add_value)],
                         [f"{name} request: direction = sideways"
                          for name in ("QUERY_RANGE", "MULTI_RANGE", "MULTI_RANGE_WHERE")])


class Spoilt(Folder):
    """One answer that is not legal, each in a way of its own."""

    def expect(self, talk: Talk, words: str) -> None:
        problems = self.judged([talk]).problems
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(words, problems[0])

    def after(self, name: str, payload: bytes, words: str, flags: int = 0,
              reply: str = "OK") -> None:
        """The operation is asked for and gets this reply."""
        talk = Corpus(MODEL).open()
        talk.request(OPERATIONS[name])
        talk.reply(reply, payload, flags)
        self.expect(talk, words)

    def test_header(self) -> None:
        for data, words in ((b"TAX\1\xf0\0\0\0\0\0", "no frame"),
                            (b"TAU\2\xf0\0\0\0\0\0", "no frame"),
                            (b"TAU\1\xee\0\0\0\0\0", "opcode 0xee"),
                            (b"TAU\1\xf0\0\0\x40\0\1", "a reply of 4194305 bytes")):
            with self.subTest(words):
                talk = Corpus(MODEL).open()
                talk.request(OPERATIONS["PING"])
                talk.answer(data)
                self.expect(talk, words)

    def test_payload(self) -> None:
        describe, listed = OPERATIONS["DESCRIBE_SERIES"], OPERATIONS["LIST_SERIES"]
        self.after("APPEND", b"\0", "length")
        self.after("QUERY_POINT", b"\2", "neither 0 nor 1")
        self.after("QUERY_POINT", b"\1" + bytes(7), "value")
        self.after("DESCRIBE_SERIES", sample(describe.response)[:-1], "retention: 8")
        self.after("DESCRIBE_SERIES", sample(describe.response) + b"\0", "too many")
        self.after("LIST_SERIES", b"\0" + bytes(31), "no whole elements")
        self.after("LIST_SERIES", b"\2", "more: 2 is neither")
        self.after("LIST_SERIES", sample(listed.response, {"labels": 2001}), "length")
        row = bytes(8) + bytes(3) + b"\1" + bytes(4)
        self.after("BATCH_APPEND", row[:7] + b"\1" + bytes(4) + b"\0", "no status of a refusal")
        self.after("BATCH_APPEND", row[:7] + b"\1" + bytes(4) + b"\xaa", "no status of a refusal")

    def test_errors(self) -> None:
        self.after("APPEND", b"\0", "no status of a refusal", reply="ERR")
        self.after("APPEND", b"\xaa", "no status of a refusal", reply="ERR")
        self.after("APPEND", b"\x0c", "cannot end with", reply="ERR")
        self.after("APPEND", b"\x0b\0", "too many", reply="ERR")
        self.after("APPEND", b"\x0b", "flags", 1, "ERR")
        self.after("APPEND", b"", "length: 0, not 1", reply="ERR")
        for name in ("QUERY_POINT", "QUERY_RANGE"):  # without a CANCEL behind them
            self.after(name, b"\x11", "cannot end with", reply="ERR")

    def test_replies_of_others(self) -> None:
        self.after("PING", b"", "OK in answer to PING")
        self.after("APPEND", b"", "PONG in answer to APPEND", reply="PONG")
        self.after("APPEND", b"", "flags 1", 1)
        self.after("QUERY_RANGE", bytes(4), "flags 2", 2)

    def test_what_a_feature_adds(self) -> None:
        talk = Corpus(MODEL).open()
        talk.negotiate(OPERATIONS["NEGOTIATE"])
        talk.request(OPERATIONS["APPEND"])
        talk.features = frozenset()
        talk.refuse("out_of_order")
        self.expect(talk, "an ERR whose field")
        for text, words in ((b"\xff\xff", "not UTF-8"), (b"x" * 513, "513 is more than 512")):
            talk = Corpus(MODEL).open()
            talk.negotiate(OPERATIONS["NEGOTIATE"])
            talk.request(OPERATIONS["APPEND"])
            talk.reply("ERR", b"\x0b" + bytes(6) + len(text).to_bytes(2, "big") + text)
            self.expect(talk, words)

    def test_checks(self) -> None:
        """Broken requests that get another status than their check gives, or success."""
        append = OPERATIONS["APPEND"]
        good = Corpus(MODEL).new().frame(append.code, sample(append.request))
        for request, status in ((good[:5] + b"\1" + good[6:], "out_of_order"),
                                (good[:5] + b"\1" + good[6:], ""), (good[:9] + b"\1\0", ""),
                                (b"BAD" + good[3:], "bad_version"),
                                (good[:4] + b"\xee", "bad_flags")):
            with self.subTest(request=request[:10].hex(), status=status):
                talk = Corpus(MODEL).open()
                talk.ask(request.ljust(10, b"\0"))
                talk.refuse(status) if status else talk.succeed(append)
                self.expect(talk, "where the check")
        talk = Corpus(MODEL).open()
        talk.request(OPERATIONS["QUERY_RANGE"], direction=7)
        talk.succeed(OPERATIONS["QUERY_RANGE"])
        self.expect(talk, "direction: 7 is no direction")
        talk = Corpus(MODEL).open()
        talk.fail(OPERATIONS["QUERY_RANGE"], "series_not_found", direction=7)
        self.expect(talk, "direction: 7 is no direction")

    def test_session(self) -> None:
        talk = Corpus(MODEL).new()
        talk.do(OPERATIONS["APPEND"])
        self.expect(talk, "success where the check `state` gives not_authenticated")
        talk = Corpus(MODEL).open()
        talk.do(OPERATIONS["DISCONNECT"])
        talk.do(OPERATIONS["PING"])
        self.expect(talk, "PONG behind the last word")
        talk = Corpus(MODEL).open()
        talk.succeed(OPERATIONS["APPEND"])
        self.expect(talk, "where nothing was asked")
        talk = Corpus(MODEL).open()
        talk.do(OPERATIONS["DISCONNECT"])
        talk.end()
        talk.wait(3500)
        talk.close()
        self.expect(talk, "left open")

    def test_layouts(self) -> None:
        """Once a client lists another layout, only layout_mismatch is an answer."""
        append = OPERATIONS["APPEND"]
        talk = Corpus(MODEL).open()
        listed = (1).to_bytes(2, "big") + bytes([append.code]) + bytes(8)
        talk.ask(talk.frame(OPERATIONS["NEGOTIATE"].code, bytes(18) + listed))
        talk.succeed(OPERATIONS["NEGOTIATE"])
        talk.fail(append, "layout_mismatch")
        self.assertEqual(self.judged([talk]).problems, [])
        talk.do(append)
        self.expect(talk, "gives layout_mismatch")

    def test_requests_of_our_client(self) -> None:
        """It has to be right in what it sends, but to a server of another specification."""
        ping, negotiate = OPERATIONS["PING"], OPERATIONS["NEGOTIATE"]
        for fingerprint in (0, MODEL.fingerprint, 5):
            for opcode, payload, flags, words in (
                    (0xEE, b"", 0, "no request"), (ping.code, b"", 1, "the flags 1"),
                    (OPERATIONS["DROP_LENS"].code, b"short", 0, "DROP_LENS: length"),
                    (OPERATIONS["QUERY_RANGE"].code, bytes(56) + b"\7", 0, "is no direction")):
                talk = Corpus(MODEL).open(played=True)
                talk.request(negotiate)
                talk.succeed(negotiate, specification=fingerprint)
                talk.ask(talk.frame(opcode, payload, flags))
                with self.subTest(words, fingerprint=fingerprint):
                    if fingerprint == 5:
                        self.assertEqual(self.judged([talk]).problems, [])
                    else:
                        self.expect(talk, words)

    def test_the_command_reports(self) -> None:
        talk = Corpus(MODEL).open()
        talk.request(OPERATIONS["APPEND"])
        talk.reply("OK", b"?")
        code, _, findings = self.run_check([*TALKS, talk])
        self.assertEqual(code, 1)
        self.assertIn(f"invalid message: taud-1.traffic, connection {len(TALKS) + 1}: reply 1 at "
                      "10: the response of APPEND: length: 1, not 0 to 0", findings)


class Files(Folder):
    def test_a_torn_end(self) -> None:
        """A process that is killed while it writes: all before its last record counts."""
        path = self.path / "taud-1.traffic"
        write_file(path, TALKS[:1])
        whole = path.read_bytes()
        for size in range(len(whole) - 30, len(whole)):
            path.write_bytes(whole[:size])
            connection, = read_file(path)
            self.assertEqual(len(connection.sent), 10)

    def test_usage(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertEqual(check.main([]), 2)
            self.assertEqual(check.main([str(self.path / "missing")]), 2)
        self.assertIn("check.py DIRECTORY", err.getvalue())


if __name__ == "__main__":
    unittest.main(verbosity=2)
