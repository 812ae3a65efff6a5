# SPDX-License-Identifier: MIT
"""Every operation through the library against a real taud, over TCP and over a Unix socket."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path

from tau_server import CERTIFICATE, PATIENCE, Server, clean_environment

PROGRAM = Path(os.environ["TAU_BUILD_DIR"]) / "tests" / "install_operations"


class Operations(unittest.TestCase):
    def run_program(self, address: str) -> None:
        env = clean_environment({"TAU_SERVER": address, "TAU_CERTIFICATE": CERTIFICATE.hex()})
        result = subprocess.run([str(PROGRAM)], env=env, capture_output=True, text=True,
                                timeout=60 * PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_over_tcp(self) -> None:
        with Server() as server:
            address = server.addresses[0]
            assert not isinstance(address, str)
            self.run_program(f"{address[0]}:{address[1]}")

    def test_over_a_unix_socket(self) -> None:
        server = Server()
        path = server.directory / "socket"
        server.listen = [f"unix:{path}"]
        with server:
            self.run_program(f"unix:{path}")


if __name__ == "__main__":
    unittest.main()
