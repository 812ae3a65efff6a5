# SPDX-License-Identifier: MIT
# ctest: timeout=200
"""Options of taud: where they come from, which source goes first, and what a wrong one gets.

What is known of the options is read from `taud --help`; so an option added later is tested too.
"""

from __future__ import annotations

import itertools
import re
import stat
import tempfile
import unittest
from pathlib import Path
from typing import Optional

import tau_raw as raw
from tau_server import CERTIFICATE, Server, ServerFailed, run_taud

REQUIRED = {"listen", "data-dir", "durability", "memory", "certificate-file", "workers",
            "max-connections", "idle-timeout", "frame-timeout", "backlog", "log-level",
            "log-format", "pid-file", "config"}
# A value that is wrong for every kind of option but a path.
WRONG = "no-such-thing!"
PATHS = {"data-dir", "certificate-file", "pid-file", "log-file", "config"}
SOURCES = ("file", "environment", "command line")  # each goes before those in front of it


def help_options() -> dict[str, str]:
    """The options that --help names, and the name of each in the environment."""
    text = run_taud("--help").stdout
    return dict(re.findall(r"^  --([a-z-]+) [A-Z]+  \[(TAU_[A-Z_]+)\]$", text, re.MULTILINE))


class Workspace(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="taud-test-")
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)

    def config(self, text: str) -> str:
        path = self.path / "taud.ini"
        path.write_text(text)
        return str(path)

    def refused(self, *args: str, env: Optional[dict[str, str]] = None) -> str:
        """Runs a taud that must refuse to start, and returns its one line."""
        env = {"TAU_CERTIFICATE": CERTIFICATE.hex(), **(env or {})}
        done = run_taud("--data-dir", str(self.path / "data"), *args, env=env)
        self.assertNotEqual(done.returncode, 0)
        self.assertGreater(done.returncode, 0, "ended by a signal")
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr


class Help(Workspace):
    def test_help(self) -> None:
        done = run_taud("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        options = help_options()
        self.assertLessEqual(REQUIRED, set(options))
        for name, variable in options.items():
            self.assertEqual(variable, "TAU_" + name.upper().replace("-", "_"))
        for default in ("127.0.0.1:7701", "10000", "300s", "15s", "sync"):
            self.assertIn(f"(default: {default})", done.stdout)

    def test_version(self) -> None:
        done = run_taud("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^taud \d+\.\d+\.\d+\n$")


class Precedence(Workspace):
    def observe(self, option: str, values: dict[str, str]) -> str:
        """Starts with the option set by some sources; which of them the server followed."""
        args, env = [], {}
        variable = "TAU_" + option.upper().replace("-", "_")
        if "file" in values:
            args += ["--config", self.config(f"; a comment\n[taud]\n{option} = {values['file']}\n")]
        if "environment" in values:
            env[variable] = values["environment"]
        if "command line" in values:
            args += [f"--{option}", values["command line"]]
        server = Server(*args, env=env, listen=[] if option == "listen" else ["127.0.0.1:0"])
        with server:
            found = [source for source, value in values.items()
                     if Path(value.removeprefix("unix:")).exists()]
            self.assertEqual(len(found), 1, f"{option}: {found} of {sorted(values)}")
            return found[0]

    def test_every_set_of_sources(self) -> None:
        """Command line before environment before file, whichever of them are there."""
        for option in ("listen", "pid-file", "log-file"):
            for count in (1, 2, 3):
                for chosen in itertools.combinations(SOURCES, count):
                    scheme = "unix:" if option == "listen" else ""
                    values = {source: f"{scheme}{self.path}/{option}.{n}"
                              for n, source in enumerate(chosen)}
                    with self.subTest(option=option, sources=chosen):
                        self.assertEqual(self.observe(option, values), chosen[-1])
                    for value in values.values():
                        Path(value.removeprefix("unix:")).unlink(missing_ok=True)

    def test_config_from_the_environment(self) -> None:
        path = self.path / "from-file"
        config = self.config(f"listen = unix:{path}\n")
        with Server(env={"TAU_CONFIG": config}, listen=[]) as server:
            self.assertEqual(server.addresses, [str(path)])

    def test_several_addresses(self) -> None:
        first, second = self.path / "a", self.path / "b"
        with Server(listen=[f"unix:{first}", f"unix:{second}", "127.0.0.1:0"]) as server:
            self.assertEqual(len(server.addresses), 3)
            for address in server.addresses:
                with raw.Connection(address, CERTIFICATE) as client:
                    self.assertEqual(client.request(raw.PING).opcode, raw.PONG)

    def test_equals_sign_and_space(self) -> None:
        socket_path = self.path / "s"
        for args in ((f"--listen=unix:{socket_path}",), ("--listen", f"unix:{socket_path}")):
            with Server(*args, listen=[]) as server:
                self.assertEqual(server.addresses, [str(socket_path)])


class Refused(Workspace):
    def test_every_option_from_every_source(self) -> None:
        """One line that names the option as it was written, the value, and what is allowed."""
        for option, variable in help_options().items():
            if option in PATHS:
                continue
            config = self.config(f"{option} = {WRONG}\n")
            for line, name in ((self.refused(f"--{option}", WRONG), f"--{option}"),
                               (self.refused(env={variable: WRONG}), variable),
                               (self.refused("--config", config), option)):
                with self.subTest(option=option, line=line):
                    self.assertIn(name, line)
                    self.assertIn(WRONG, line)

    def test_values_out_of_range(self) -> None:
        for option, value in (("workers", "0"), ("workers", "1025"), ("workers", "-1"),
                              ("workers", "2x"), ("workers", ""), ("max-connections", "0"),
                              ("max-connections", "99999999999999999999"), ("memory", "1"),
                              ("memory", "12Q"), ("idle-timeout", "5"), ("idle-timeout", "-5s"),
                              ("frame-timeout", "0"), ("frame-timeout", "2h"), ("backlog", "0"),
                              ("durability", "interval="), ("durability", "interval=0ms"),
                              ("durability", "never"), ("log-level", "INFO"),
                              ("log-format", "xml")):
            with self.subTest(option=option, value=value):
                line = self.refused(f"--{option}", value)
                self.assertIn(f"--{option}", line)
                self.assertIn(f'"{value}"', line)
                self.assertIn("expected", line)

    def test_addresses(self) -> None:
        for value in ("7701", "localhost", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", ":7701:1",
                      "127.0.0.1:http", "[::1]", "[::1:7701", "::1:7701", "unix:",
                      "unix:" + "p" * 200, "127.0.0.1:0,,127.0.0.1:0", "1.2.3:0"):
            with self.subTest(value=value):
                self.assertIn(value[:60], self.refused("--listen", value))

    def test_unknown_options(self) -> None:
        self.assertIn("--no-such", self.refused("--no-such", "1"))
        self.assertIn("extra", self.refused("extra"))
        self.assertIn("--workers", self.refused("--workers"))
        self.assertIn("no-such", self.refused("--config", self.config("no-such = 1\n")))
        self.refused("--config", self.config("[elsewhere]\nworkers = 1\n"))

    def test_files(self) -> None:
        missing = str(self.path / "missing.ini")
        self.assertIn(missing, self.refused("--config", missing))
        self.assertIn(":2:", self.refused("--config", self.config("workers = 1\nnonsense\n")))


class Certificates(Workspace):
    def test_malformed(self) -> None:
        """From the environment, then from a file: not 64 hexadecimal characters."""
        for text in ("", "abc", "g" * 64, "a" * 63, "a" * 65, "a" * 66, " " * 64, "0x" + "a" * 62):
            with self.subTest(text=text):
                self.assertIn("TAU_CERTIFICATE", self.refused(env={"TAU_CERTIFICATE": text}))
                path = self.path / "certificate"
                path.write_text(text + "\n")
                done = run_taud("--data-dir", str(self.path / "data"),
                                "--certificate-file", str(path))
                self.assertGreater(done.returncode, 0)
                self.assertIn(str(path), done.stderr)
                if text:
                    self.assertNotIn(text.strip() or "\t", done.stderr, "a secret in the log")

    def test_from_a_file(self) -> None:
        path = self.path / "certificate"
        path.write_text(bytes(range(32)).hex().upper() + "\n")
        with Server("--certificate-file", str(path), certificate=None) as server:
            server.certificate = bytes(range(32))
            server.connect().close()

    def test_environment_goes_before_the_file(self) -> None:
        path = self.path / "certificate"
        path.write_text("00" * 32 + "\n")
        with Server("--certificate-file", str(path)) as server:
            server.connect().close()

    def test_generated_at_the_first_start(self) -> None:
        """In the data directory, for its owner alone; the message says where, the log not what."""
        with Server(certificate=None) as server:
            path = server.data_dir / "certificate"
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            text = path.read_text()
            self.assertRegex(text, r"^[0-9a-f]{64}\n?$")
            said = server.ready_line + server.log_text()
            self.assertIn(str(path), said)
            self.assertNotIn(text.strip(), said)
            server.certificate = bytes.fromhex(text.strip())
            server.connect().close()
            server.stop()
            server.certificate = None
            server.start()
            self.assertEqual(path.read_text(), text, "it stays")

    def test_missing_file(self) -> None:
        with self.assertRaises(ServerFailed):
            Server("--certificate-file", str(self.path / "none"), certificate=None).start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
