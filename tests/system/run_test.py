# SPDX-License-Identifier: MIT
# ctest: timeout=600 serial
"""server/run --once: the demonstration works, ends by itself, and leaves nothing running.

It runs on a port and a directory of its own, so a server that somebody uses is not touched.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tau_server import BIN_DIR, PATIENCE, SOURCE_DIR, clean_environment

RUN = str(SOURCE_DIR / "server" / "run")


class Run(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="taud-test-")
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)

    def environment(self, listen: str = "127.0.0.1:0") -> dict[str, str]:
        return clean_environment({"TAU_LISTEN": listen, "TAU_DATA_DIR": str(self.path / "data"),
                                  "TAU_BUILD_DIR": str(BIN_DIR.parent), "NO_COLOR": "1"})

    def run_once(self, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([RUN, "--once"], env=env, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=500, check=False)

    def processes(self) -> list[str]:
        """Command lines of processes that know our data directory."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                except OSError:
                    continue
                if os.fsencode(self.path) in told:
                    found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        return found

    def test_once(self) -> None:
        done = self.run_once(self.environment())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for command in ("list", "plot", "latest", "get"):
            self.assertRegex(done.stdout, rf"(?m)^\$ tau-cli {command}\b")
        self.assertEqual(self.processes(), [])
        self.read_back(done.stdout)

    def read_back(self, text: str) -> None:
        """The point that was read alone is the one that was read last."""
        value = re.findall(r"(?m)^\$ tau-cli get \S+ \S+\n(.+)$", text)
        self.assertEqual(len(value), 1, text)
        self.assertRegex(value[0], r"\d")

    def test_port_in_use(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = self.run_once(self.environment(address))
        self.assertEqual(done.returncode, 1)
        self.assertIn(address, done.stderr)
        self.assertIn("TAU_LISTEN=", done.stderr)
        self.assertEqual(self.processes(), [])

    def test_server_stays_in_the_foreground(self) -> None:
        with open(self.path / "output", "wb") as output:
            process = subprocess.Popen([RUN], env=self.environment(), stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output)
        text = ""
        deadline = time.monotonic() + 60 * PATIENCE
        while "type next" not in text and time.monotonic() < deadline:
            self.assertIsNone(process.poll(), text)
            time.sleep(0.2)
            text = (self.path / "output").read_text()
        self.assertIn("TAU_SERVER=127.0.0.1:", text)
        self.type_next(text)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30 * PATIENCE), 0)
        self.assertEqual(self.processes(), [])

    def type_next(self, text: str) -> None:
        """The lines that it offers work as they stand."""
        lines = [line.strip() for line in text.split("type next")[1].splitlines() if "list" in line]
        done = subprocess.run(["bash", "-c", lines[0]], env=clean_environment(), text=True,
                              capture_output=True, timeout=30 * PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("load", done.stdout)

    def test_usage(self) -> None:
        done = subprocess.run([RUN, "--twice"], capture_output=True, text=True, timeout=30,
                              env=self.environment(), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--once", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
