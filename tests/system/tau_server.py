# SPDX-License-Identifier: MIT
"""Starts and stops a taud of the build under test.

Each server has a temporary data directory and a port of its own, so tests may run side by side and
beside a server that somebody uses. It is stopped by its process id, and its log is kept until the
test has passed. A finding of a sanitizer fails the stop, whatever the exit code was.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from typing import Callable, ClassVar, Mapping, Optional, Sequence

from tau_raw import Address, Connection, label

SOURCE_DIR = Path(os.environ.get("TAU_SOURCE_DIR", Path(__file__).resolve().parents[2]))
BIN_DIR = Path(os.environ.get("TAU_BIN_DIR", SOURCE_DIR / "build" / "release" / "bin"))
TAUD = BIN_DIR / "taud"
RESTLESS = BIN_DIR.parent / "tests" / "restless_taud"  # which flushes and compacts all the time
SANITIZED = bool(os.environ.get("TAU_SANITIZE"))
PATIENCE = 4.0 if SANITIZED else 1.0  # what a time limit is multiplied with

CERTIFICATE = bytes(range(0x40, 0x60))
WRONG_CERTIFICATE = bytes(range(0x41, 0x61))

_REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "UndefinedBehaviorSanitizer",
            "runtime error:")
_TCP = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|\d+\.\d+\.\d+\.\d+):(?P<port>\d+)")
_UNIX = re.compile(r"unix:(?P<path>[^\s,\"]+)")


class ServerFailed(Exception):
    """taud did not start, or did not end as it should."""


def clean_environment(extra: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """This process's environment without the settings of a Tau that somebody uses."""
    ours = ("TAU_BIN_DIR", "TAU_BUILD_DIR", "TAU_SOURCE_DIR", "TAU_SANITIZE", "TAU_CC")
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("TAU_") or name in ours}
    directory = os.environ.get("TAU_TRAFFIC_DIR")
    if directory and not SANITIZED:  # what taud and tau-cli say is recorded; see tests/coverage
        env["TAU_TRAFFIC_DIR"] = directory
        env["LD_PRELOAD"] = str(BIN_DIR.parent / "tests" / "libtraffic_recorder.so")
    env.update(extra or {})
    return env


def preload(library: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a server has a library of the tests before the system's."""
    first = str(BIN_DIR.parent / "tests" / f"lib{library}.so")
    others = clean_environment().get("LD_PRELOAD")
    return {"LD_PRELOAD": f"{first}:{others}" if others else first, **settings}


def parse_addresses(line: str) -> list[Address]:
    """The addresses in the line that taud prints when it is ready."""
    addresses: list[Address] = [match["path"] for match in _UNIX.finditer(line)]
    for match in _TCP.finditer(_UNIX.sub("", line)):
        addresses.append((match["host"].strip("[]"), int(match["port"])))
    return addresses


class Server:
    """One taud. `with Server() as server:` starts it, and stops it in order at the end."""

    def __init__(self, *args: str, listen: Sequence[str] = ("127.0.0.1:0",),
                 data_dir: Optional[Path] = None, env: Optional[Mapping[str, str]] = None,
                 certificate: Optional[bytes] = CERTIFICATE,
                 open_files: Optional[int] = None,
                 open_files_hard: Optional[int] = None, bin_dir: Path = BIN_DIR) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="taud-test-"))
        self.data_dir = data_dir or self.directory / "data"
        self.binary = bin_dir / "taud"
        self.args = list(args)
        self.listen = list(listen)
        self.certificate = certificate
        self.open_files = open_files
        self.open_files_hard = open_files_hard or open_files
        self.env = dict(env or {})
        self.log = self.directory / "stderr"
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.addresses: list[Address] = []
        self.ready_line = ""

    # --- life ---

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        failed = kind is not None
        try:
            if self.running:
                self.stop()
            elif self.process is not None and self.process.returncode not in (0, -signal.SIGKILL):
                raise ServerFailed(f"ended by itself with {self.process.returncode}")
        except ServerFailed:
            failed = True
            if kind is None:
                raise
        finally:
            if failed:
                print(f"--- log of taud ---\n{self.log_text()[-8000:]}", flush=True)
            self.remove()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def command(self) -> list[str]:
        command = [str(self.binary), "--data-dir", str(self.data_dir)]
        for address in self.listen:
            command += ["--listen", address]
        return command + self.args

    def _prepare(self) -> Optional[Callable[[], None]]:
        soft, hard = self.open_files, self.open_files_hard
        if soft is None or hard is None:
            return None
        limits = (soft, hard)
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    def start(self, seconds: float = 20.0) -> "Server":
        env = clean_environment(self.env)
        if self.certificate is not None:
            env["TAU_CERTIFICATE"] = self.certificate.hex()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, env=env,
                                            cwd=self.directory, preexec_fn=self._prepare())
        self.ready_line = self._read_ready_line(seconds * PATIENCE)
        self.addresses = parse_addresses(self.ready_line)
        if len(self.addresses) < max(1, len(self.listen)):
            self.kill()
            raise ServerFailed(f"no addresses in {self.ready_line!r}\n{self.log_text()}")
        return self

    def _read_ready_line(self, seconds: float) -> str:
        assert self.process is not None and self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        os.set_blocking(descriptor, False)
        deadline = time.monotonic() + seconds
        data = b""
        while not data.endswith(b"\n"):
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"not ready within {seconds} s\n{self.log_text()}")
            chunk = self.process.stdout.read()
            if chunk:
                data += chunk
            elif chunk == b"" or self.process.poll() is not None:
                code = self.process.wait()
                self._close_output()
                raise ServerFailed(f"ended with {code} before it was ready\n{self.log_text()}")
            else:
                time.sleep(0.002)
        return data.decode()

    def stop(self, by: int = signal.SIGTERM, seconds: float = 15.0) -> float:
        """Stops in order, fails unless the exit code is 0, and returns how long it took."""
        assert self.process is not None
        self.process.send_signal(by)
        return self.wait_for_end(seconds)

    def wait_for_end(self, seconds: float = 15.0) -> float:
        """Waits for a server that was told to stop; as stop."""
        assert self.process is not None
        began = time.monotonic()
        try:
            code = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"did not stop within {seconds * PATIENCE} s") from None
        took = time.monotonic() - began
        self._close_output()
        self.check_log()
        if code != 0:
            raise ServerFailed(f"ended with {code}\n{self.log_text()[-8000:]}")
        return took

    def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is said. It must have been running until then."""
        assert self.process is not None
        alive = self.process.poll() is None
        if alive:
            self.process.kill()
        code = self.process.wait()
        self._close_output()
        if not alive:
            raise ServerFailed(f"had ended by itself with {code}\n{self.log_text()[-12000:]}")

    def _close_output(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def restart(self) -> "Server":
        self.stop()
        return self.start()

    def remove(self) -> None:
        if self.running:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- what it says of itself ---

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def check_log(self) -> None:
        text = self.log_text()
        for report in _REPORTS:
            if report in text:
                raise ServerFailed(f"{report} reported a finding\n{text[-12000:]}")

    def resident_bytes(self) -> int:
        """What only this process holds: pages of files that are shared with others do not count."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise ServerFailed("no RssAnon in /proc")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptor_count(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    # --- clients ---

    @property
    def address(self) -> Address:
        return self.addresses[0]

    def open(self, timeout: float = 20.0, receive_buffer: int = 0, source: str = "") -> Connection:
        """A connection that has not said anything yet."""
        return Connection(self.address, None, timeout * PATIENCE, receive_buffer, source)

    def connect(self, timeout: float = 20.0, receive_buffer: int = 0) -> Connection:
        """An authenticated connection."""
        return Connection(self.address, self.certificate, timeout * PATIENCE, receive_buffer)


def run_taud(*args: str, env: Optional[Mapping[str, str]] = None, seconds: float = 20.0,
             prepare: Optional[Callable[[], None]] = None) -> "subprocess.CompletedProcess[str]":
    """Runs a taud that is expected to end by itself."""
    return subprocess.run([str(BIN_DIR / "taud"), *args], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env=clean_environment(env),
                          timeout=seconds * PATIENCE, check=False, preexec_fn=prepare)


class ServerCase(unittest.TestCase):
    """Test cases that share one server. Each takes labels of its own, so none sees another's."""

    server_args: ClassVar[tuple[str, ...]] = ("--workers", "2")
    server: ClassVar[Server]
    _labels: ClassVar[int] = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server(*cls.server_args).start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.__exit__(None)

    def label(self) -> bytes:
        """A label that no other test of this server uses."""
        ServerCase._labels += 1
        return label(f"{self._testMethodName[5:25]}.{ServerCase._labels}")

    def source(self) -> str:
        """A loopback address that no other test comes from: refusals are counted per address."""
        ServerCase._labels += 1
        return f"127.1.{ServerCase._labels // 250}.{1 + ServerCase._labels % 250}"

    def connect(self) -> Connection:
        connection = self.server.connect()
        self.addCleanup(connection.close)
        return connection

    def open(self, source: str = "") -> Connection:
        connection = self.server.open(source=source)
        self.addCleanup(connection.close)
        return connection
