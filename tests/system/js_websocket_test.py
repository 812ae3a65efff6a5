# SPDX-License-Identifier: MIT
# ctest: timeout=180
"""The JavaScript client over WebSocket, which a bridge of these tests turns into TCP."""

from __future__ import annotations

import sys
from pathlib import Path

from tau_node import debian_module, node, run_module
from tau_server import CERTIFICATE, PATIENCE, Server


def main() -> int:
    node()  # before a server is started: without one there is nothing to do
    websocket = debian_module("ws", "node-ws")
    with Server() as server:
        assert not isinstance(server.address, str)
        host, port = server.address
        env = {"TAU_CERTIFICATE": CERTIFICATE.hex(), "TAU_WS": str(websocket)}
        return run_module(Path(__file__).with_name("js_websocket.mjs"), host, str(port),
                          env=env, seconds=80 * PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
