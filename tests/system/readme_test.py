# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The first page says what is true: its session is replayed, its program compiled and run.

The README is the only source of both; this file takes the blocks out of it. A line of the session
that begins with `$ ` is typed into a shell, what follows up to the next is what it must print;
three dots stand for whatever a line says there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tau_server import BIN_DIR, SOURCE_DIR, Server, clean_environment

README = SOURCE_DIR / "README.md"
BUILD_DIR = Path(os.environ.get("TAU_BUILD_DIR", BIN_DIR.parent))
COMPILER = os.environ.get("TAU_CC", "cc")
SANITIZE = os.environ.get("TAU_SANITIZE", "")


def block(kind: str) -> str:
    """The text of the README's only block of this kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"{len(found)} blocks of {kind} in README.md"
    return str(found[0])


def steps(session: str) -> list[tuple[str, str]]:
    """Pairs of what is typed and what it prints."""
    result: list[tuple[str, str]] = []
    for line in session.splitlines(keepends=True):
        if line.startswith("$ "):
            result.append((line[2:].strip(), ""))
        elif result:
            result[-1] = (result[-1][0], result[-1][1] + line)
    return result


class ReadmeCase(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="taud-test-")
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)
        self.server = Server().start()
        self.addCleanup(lambda: self.server.__exit__(None))
        assert not isinstance(self.server.address, str) and self.server.certificate
        self.address = f"127.0.0.1:{self.server.address[1]}"
        self.env = clean_environment({
            "TAU_SERVER": self.address, "TAU_CERTIFICATE": self.server.certificate.hex(),
            "PATH": f"{BIN_DIR}:{os.environ['PATH']}", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"})

    def run_shell(self, command: str) -> str:
        done = subprocess.run(["bash", "-c", command], cwd=self.path, env=self.env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        return done.stdout


class Session(ReadmeCase):
    def test_replay(self) -> None:
        session = steps(block("console"))
        self.assertGreater(len(session), 4)
        for command, expected in session:
            with self.subTest(command=command):
                pattern = re.escape(expected).replace(re.escape("..."), "[^\n]*")
                printed = self.run_shell(command)
                # What rules keep follows a moment after the write.
                deadline = time.monotonic() + 10
                while command.startswith("tau-cli range ") and time.monotonic() < deadline:
                    if re.fullmatch(pattern, printed):
                        break
                    printed = self.run_shell(command)
                if not re.fullmatch(pattern, printed):
                    self.assertEqual(printed, expected)


class Program(ReadmeCase):
    def flags(self) -> list[str]:
        """As for a program that is built against this build tree."""
        sanitize = [f"-fsanitize={SANITIZE}"] if SANITIZE else []
        return ["-std=c11", "-Wall", "-Wextra", "-Werror", *sanitize,
                f"-I{SOURCE_DIR}/client/include", f"-I{BUILD_DIR}/generated/include",
                f"-L{BUILD_DIR}/lib", f"-Wl,-rpath,{BUILD_DIR}/lib"]

    def test_compile_and_run(self) -> None:
        source = self.path / "program.c"
        text = block("c")
        lines = [line for line in text.splitlines() if line.strip()]
        self.assertLessEqual(len(lines), 30, "longer than a first page bears")
        source.write_text(text)
        program = self.path / "program"
        command = [*shlex.split(COMPILER), *self.flags(), str(source), "-o", str(program),
                   "-ltauclient"]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(built.returncode, 0, built.stderr)
        done = subprocess.run([str(program)], env=self.env, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, self.printed(text))

    def printed(self, text: str) -> str:
        """The program's last comment says what it prints."""
        found = re.findall(r"// prints (.*)$", text, re.MULTILINE)
        self.assertEqual(len(found), 1, "the program says once what it prints")
        return str(found[0]) + "\n"


class Words(unittest.TestCase):
    """What the page names exists."""

    def test_paths(self) -> None:
        text = README.read_text()
        for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            with self.subTest(link=path):
                self.assertTrue((SOURCE_DIR / path).exists())
        for path in re.findall(r"`((?:protocol|gen|server|client|tests|\.ci)/[\w./-]*)`", text):
            with self.subTest(path=path):
                self.assertTrue((SOURCE_DIR / path).exists())

    def test_limits(self) -> None:
        """Each row of the table that states a number states the specification's."""
        published = SOURCE_DIR / "protocol" / "published" / "specification.json"
        model = json.loads(published.read_text())
        limit = {one["name"]: one["value"] for one in model["limits"]}
        table = README.read_text().partition("| limit of the protocol | |\n|---|---|\n")[2]
        rows = dict(re.findall(r"^\| (.*?) \| (.*?) \|$", table.partition("\n\n")[0], re.MULTILINE))
        self.assertEqual(rows, {
            "label": f"{model['types']['label']['size']} bytes",
            "payload of a frame": f"{limit['payload_bytes'] / 2**20:g} MiB",
            "points in one batch": f"{limit['batch_points']:,}",
            "lenses": f"{limit['lenses']:,}, of at most {limit['lens_transforms']} transforms each",
            "rules that keep a series": f"{limit['rollups']:,}, at most "
                                        f"{limit['source_rollups']} of one source",
            "values and timestamps": f"every {model['types']['value']['wire']}, "
                                     f"every {model['types']['timestamp']['wire']}"})

    def test_options(self) -> None:
        text = README.read_text()
        shown = subprocess.run([str(BIN_DIR / "taud"), "--help"], capture_output=True, text=True,
                               env=clean_environment(), check=True).stdout
        # The scripts say what they take in the comment at their top.
        for script in ("server/run", "tests/bench/run", "tests/fuzz/run", "tests/sim/run"):
            shown += (SOURCE_DIR / script).read_text().partition("\nset -")[0]
        options = set(re.findall(r"`(--[a-z-]+)[^`]*`", text)) - {"--preset"}  # of cmake
        for option in options:
            with self.subTest(option=option):
                self.assertRegex(shown, rf"{option}\b")

    def test_two_commands_come_first(self) -> None:
        first = re.findall(r"^```\w*\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)[0]
        self.assertEqual([line.split()[0] for line in first.splitlines()],
                         ["server/run", "tests/run"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
