# SPDX-License-Identifier: MIT
"""How tau-cli finds the server and the certificate, and what it says when it does not."""

from __future__ import annotations

import os
import socket
import tempfile
import time
import unittest
from pathlib import Path

from tau_cli import ERROR, NO_CONNECTION, REFUSED, Cli, Server, address_text
from tau_server import CERTIFICATE, WRONG_CERTIFICATE


class Connection(unittest.TestCase):
    directory: "tempfile.TemporaryDirectory[str]"
    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory(prefix="tau-cli-test-")
        cls.socket = os.path.join(cls.directory.name, "socket")
        listen = ["127.0.0.1:0", f"unix:{cls.socket}"]
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
            listen.append("[::1]:0")
        except OSError:
            pass
        cls.server = Server(listen=listen).start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.__exit__(None)
        cls.directory.cleanup()

    def file(self, text: str) -> str:
        path = Path(self.directory.name, f"file-{time.monotonic_ns()}")
        path.write_text(text)
        return str(path)

    def test_addresses(self) -> None:
        with_certificate = {"TAU_CERTIFICATE": CERTIFICATE.hex()}
        for address in self.server.addresses:
            text = address_text(address)
            Cli(env=with_certificate).ok("--server", text, "list")
            Cli(env={**with_certificate, "TAU_SERVER": text}).ok("list")
            Cli(env={**with_certificate, "TAU_SERVER": "127.0.0.1:1"}).ok("list", "-s", text)

    def test_no_connection(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{closed.getsockname()[1]}"
            cli = Cli(env={"TAU_CERTIFICATE": CERTIFICATE.hex(), "TAU_SERVER": address})
            for args in (["list"], ["ping"], ["append", "a", "1", "2"], ["import", "-"],
                         ["watch", "a"], ["collect"], ["bench"], ["range", "a"], ["plot", "a"]):
                self.assertIn(address, cli.fails(NO_CONNECTION, *args))

    def test_silent_server(self) -> None:
        """One that accepts and says nothing: the timeout counts."""
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            cli = Cli(env={"TAU_CERTIFICATE": CERTIFICATE.hex(), "TAU_SERVER": address})
            began = time.monotonic()
            cli.fails(NO_CONNECTION, "--timeout", "300ms", "list")
            self.assertLess(time.monotonic() - began, 4)

    def test_certificate_order(self) -> None:
        right, wrong = CERTIFICATE.hex(), WRONG_CERTIFICATE.hex()
        right_file, wrong_file = self.file(right + "\n"), self.file(wrong + "\n")
        address = {"TAU_SERVER": address_text(self.server.address)}

        def cli(**env: str) -> Cli:
            return Cli(env={**address, **env})

        cli(TAU_CERTIFICATE=wrong).ok("--certificate-file", right_file, "list")
        cli(TAU_CERTIFICATE=right, TAU_CERTIFICATE_FILE=wrong_file).ok("list")
        cli(TAU_CERTIFICATE_FILE=right_file).ok("list")
        message = cli(TAU_CERTIFICATE=wrong, TAU_CERTIFICATE_FILE=right_file).fails(REFUSED, "list")
        self.assertIn("auth_failed", message)

    def test_data_directory(self) -> None:
        """The certificate that taud left in its default place, for this user."""
        address = {"TAU_SERVER": address_text(self.server.address)}
        with tempfile.TemporaryDirectory(prefix="tau-cli-home-") as home:
            Path(home, "tau").mkdir()
            Path(home, "tau", "certificate").write_text(CERTIFICATE.hex() + "\n")
            if os.geteuid() == 0:
                place = Path("/var/lib/tau/certificate")
                if place.exists():
                    self.skipTest("somebody uses /var/lib/tau")
                Cli(env={**address, "XDG_DATA_HOME": home}).fails(ERROR, "list")
            else:
                Cli(env={**address, "XDG_DATA_HOME": home}).ok("list")

    def test_bad_certificates(self) -> None:
        address = {"TAU_SERVER": address_text(self.server.address)}
        short = self.file("abc\n")
        for env, args, word in (
                ({"TAU_CERTIFICATE": "abc"}, [], "TAU_CERTIFICATE"),
                ({"TAU_CERTIFICATE": "g" * 64}, [], "64 hexadecimal"),
                ({"TAU_CERTIFICATE_FILE": short}, [], short),
                ({"TAU_CERTIFICATE_FILE": "/nonexistent"}, [], "No such file"),
                ({}, ["--certificate-file", "/nonexistent"], "/nonexistent")):
            message = Cli(env={**address, **env}).fails(ERROR, *args, "list")
            self.assertIn(word, message)


if __name__ == "__main__":
    unittest.main(verbosity=2)
