# SPDX-License-Identifier: MIT
"""Runs tau-cli against a server, as a person or a script would."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
import fcntl
from pathlib import Path
from typing import Mapping, Optional, Sequence, Union

import tau_raw as raw
from tau_raw import Address
from tau_server import BIN_DIR, CERTIFICATE, PATIENCE, SANITIZED, Server, clean_environment

TAU_CLI = BIN_DIR / "tau-cli"

OK, ERROR, USAGE, NO_CONNECTION, REFUSED, PARTIAL = 0, 1, 2, 3, 4, 5


def address_text(address: Address) -> str:
    """An address as --server takes it."""
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Cli:
    """tau-cli with the address and the certificate of a server in its environment."""

    def __init__(self, server: Optional[Server] = None,
                 env: Optional[Mapping[str, str]] = None) -> None:
        settings = {"LC_ALL": "C.UTF-8", "TERM": "xterm", "HOME": "/nonexistent",
                    "XDG_DATA_HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent"}
        if server is not None:
            settings["TAU_SERVER"] = address_text(server.address)
            settings["TAU_CERTIFICATE"] = CERTIFICATE.hex()
        settings.update(env or {})
        self.env = clean_environment(settings)
        self.env.pop("NO_COLOR", None)

    def run(self, *args: Union[str, bytes, Path], stdin: Union[str, bytes] = b"",
            seconds: float = 60.0) -> "subprocess.CompletedProcess[bytes]":
        data = stdin.encode() if isinstance(stdin, str) else stdin
        return subprocess.run([str(TAU_CLI), *args], input=data, capture_output=True, env=self.env,
                              timeout=seconds * PATIENCE, check=False)

    def ok(self, *args: Union[str, bytes, Path], stdin: Union[str, bytes] = b"") -> str:
        """Runs a command that must succeed and say nothing but its data, which is returned."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == OK, (args, done)
        assert not done.stderr, (args, done)
        return done.stdout.decode()

    def fails(self, code: int, *args: Union[str, bytes, Path],
              stdin: Union[str, bytes] = b"") -> str:
        """Runs a command that must end with this code and print no data; returns its message."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == code, (args, done)
        assert not done.stdout, (args, done)
        assert done.stderr, (args, done)
        return done.stderr.decode()

    def start(self, *args: Union[str, Path]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([str(TAU_CLI), *args], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env)


class ScriptedServer:
    """Speaks the binary protocol well enough for tau-cli, one connection after the other; what it
    answers is its subclass's business."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def cli(self) -> Cli:
        host, port = self.listener.getsockname()
        return Cli(env={"TAU_SERVER": f"{host}:{port}", "TAU_CERTIFICATE": CERTIFICATE.hex()})

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while len(head := stream.read(raw.HEADER_SIZE)) == raw.HEADER_SIZE:
                    opcode, (length,) = head[4], struct.unpack(">I", head[6:])
                    connection.sendall(self.answer(opcode, stream.read(length)))

    def answer(self, opcode: int, payload: bytes) -> bytes:
        raise NotImplementedError


class Terminal:
    """tau-cli on a terminal of its own."""

    def __init__(self, cli: Cli, *args: str, columns: int = 100, rows: int = 30,
                 env: Optional[Mapping[str, str]] = None) -> None:
        self.output = b""
        merged = dict(cli.env)
        merged.update(env or {})
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(str(TAU_CLI), [str(TAU_CLI), *args], merged)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def read_some(self, seconds: float) -> bool:
        """Reads what comes within the time; False at the end of the output."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.output += data
        return bool(data)

    def wait_for(self, text: str, seconds: float = 20.0) -> bytes:
        """Reads until the text has come since the last call; returns what was read."""
        deadline = time.monotonic() + seconds * PATIENCE
        wanted = text.encode()
        while wanted not in self.output:
            if time.monotonic() > deadline or not self.read_some(0.2):
                raise AssertionError(f"{text!r} did not come: {self.output!r}")
        end = self.output.index(wanted) + len(wanted)
        seen, self.output = self.output[:end], self.output[end:]
        return seen

    def wait_for_prompt(self) -> bytes:
        """Waits for the prompt, and until it reads keys and no longer lines."""
        seen = self.wait_for("tau> ")
        deadline = time.monotonic() + 20 * PATIENCE
        while termios.tcgetattr(self.fd)[3] & termios.ICANON:
            if time.monotonic() > deadline:
                raise AssertionError("the prompt reads no keys")
            time.sleep(0.005)
        return seen

    def end(self, seconds: float = 20.0) -> int:
        """Reads to the end and returns the exit code."""
        deadline = time.monotonic() + seconds * PATIENCE
        while self.read_some(0.2):
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"did not end: {self.output!r}")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def lines(text: str) -> list[str]:
    return text.splitlines()


__all__: Sequence[str] = ("Cli", "Terminal", "Server", "TAU_CLI", "PATIENCE", "SANITIZED", "lines",
                          "OK", "ERROR", "USAGE", "NO_CONNECTION", "REFUSED", "PARTIAL",
                          "address_text")
