# SPDX-License-Identifier: MIT
# ctest: timeout=180
"""The JavaScript client against a server, over TCP and over a Unix socket."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tau_node import node, run_module
from tau_server import CERTIFICATE, PATIENCE, Server


def main() -> int:
    node()  # before a server is started: without one there is nothing to do
    with tempfile.TemporaryDirectory(prefix="tau-js-") as directory:
        path = f"{directory}/socket"
        with Server(listen=("127.0.0.1:0", f"unix:{path}")) as server:
            host, port = next(a for a in server.addresses if not isinstance(a, str))
            return run_module(Path(__file__).with_name("js_tcp.mjs"), host, str(port), path,
                              env={"TAU_CERTIFICATE": CERTIFICATE.hex()}, seconds=80 * PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
