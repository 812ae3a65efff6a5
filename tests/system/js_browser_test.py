# SPDX-License-Identifier: MIT
# ctest: timeout=180
"""The JavaScript package in a browser: the golden vectors, and a session over WebSocket."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tau_node import debian_module, node, run_module, skip
from tau_server import CERTIFICATE, PATIENCE, Server

BROWSERS = ("chromium-headless-shell", "chromium")


def main() -> int:
    node()  # before a server is started: without one there is nothing to do
    websocket = debian_module("ws", "node-ws")
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        skip("there is no Chromium")
    with Server() as server:
        assert not isinstance(server.address, str)
        host, port = server.address
        env = {"TAU_CERTIFICATE": CERTIFICATE.hex(), "TAU_WS": str(websocket)}
        return run_module(Path(__file__).with_name("js_browser.mjs"), host, str(port), browser,
                          env=env, seconds=80 * PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
