# SPDX-License-Identifier: MIT
"""Records what a client and a server say to each other, as a capture, without the right to capture.

It stands between the two, passes the bytes on and writes them down in the segments that a test asks
for.
"""

from __future__ import annotations

import socket
import threading

from capture_file import Capture, Connection


class Recorder(threading.Thread):
    """Passes the bytes of one connection between a client and the server on, and keeps them."""

    def __init__(self, target: tuple[str, int], piece: int) -> None:
        super().__init__(daemon=True)
        self.target = target
        self.piece = piece
        self.capture = Capture()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()

    def _pump(self, source: socket.socket, sink: socket.socket, connection: Connection,
              reply: bool) -> None:
        while data := source.recv(65536):
            with self.lock:
                connection.send(data, reply, self.piece)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def run(self) -> None:
        client, _ = self.listener.accept()
        server = socket.create_connection(self.target)
        connection = Connection(self.capture, 10_000, opened=True)
        back = threading.Thread(target=self._pump, args=(server, client, connection, True))
        back.start()
        self._pump(client, server, connection, False)
        back.join()
        client.close()
        server.close()
        self.listener.close()
