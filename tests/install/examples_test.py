# SPDX-License-Identifier: MIT
"""The examples do what they say, against a real taud."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path
from typing import Optional

from tau_server import CERTIFICATE, PATIENCE, Server, clean_environment

EXAMPLES = Path(os.environ["TAU_BUILD_DIR"]) / "examples"
TIMEOUT = 20 * PATIENCE


class Examples(unittest.TestCase):
    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.stop()
        cls.server.remove()

    def environment(self, certificate: bytes = CERTIFICATE) -> dict[str, str]:
        address = self.server.addresses[0]
        assert not isinstance(address, str)
        return clean_environment({"TAU_SERVER": f"{address[0]}:{address[1]}",
                                  "TAU_CERTIFICATE": certificate.hex()})

    def run_example(self, name: str, *arguments: str, text: str = "", code: int = 0,
                    env: Optional[dict[str, str]] = None) -> subprocess.CompletedProcess[str]:
        result = subprocess.run([str(EXAMPLES / f"example_{name}"), *arguments], input=text,
                                capture_output=True, text=True, timeout=TIMEOUT,
                                env=env or self.environment())
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def test_append_query(self) -> None:
        points = "1000000000 20.5\n2000000000 21\n3000000000 21.5\n"
        for _ in range(2):  # again over its own points
            result = self.run_example("append_query", "example.one")
            self.assertEqual(result.stdout, "at 2 s: 21\n" + points)

    def test_append_query_refused(self) -> None:
        result = self.run_example("append_query", env=self.environment(bytes(32)), code=1)
        self.assertIn("auth_failed", result.stderr)
        self.run_example("append_query", env=clean_environment({}), code=2)

    def test_batch_import(self) -> None:
        lines = [f"import.{i % 3},{i},{i / 2}\n" for i in range(3000)]
        lines += [f"import.long,{i},{i}\n" for i in range(5000)]
        result = self.run_example("batch_import", text="".join(lines))
        self.assertEqual(result.stdout, "8000 accepted, 0 failed\n")
        result = self.run_example("batch_import", text="import.0,2997,1\nimport.0,9999,2\n",
                                  code=1)
        self.assertEqual(result.stdout, "1 accepted, 1 failed\n")
        self.assertIn("import.0 at 2997: ", result.stderr)

    def test_async_tail(self) -> None:
        self.run_example("batch_import", text="".join(f"tail,{i},{i}\n" for i in range(100)))
        tail = subprocess.Popen([str(EXAMPLES / "example_async_tail"), "tail", "200"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment())
        try:
            self.run_example("batch_import",
                             text="".join(f"tail,{i},{i}\n" for i in range(100, 250)))
            output, errors = tail.communicate(timeout=TIMEOUT)
        finally:
            tail.kill()
            tail.wait()
        self.assertEqual(tail.returncode, 0, errors)
        self.assertEqual(output, "".join(f"{i} {i}\n" for i in range(200)))


if __name__ == "__main__":
    unittest.main()
