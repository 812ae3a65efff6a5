# SPDX-License-Identifier: MIT
# ctest: timeout=200 labels=threads
"""How taud starts, refuses to start, is told things by signals, and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import tau_raw as raw
from tau_raw import Connection, frame, label
from tau_server import (CERTIFICATE, PATIENCE, Server, ServerFailed, clean_environment,
                        run_taud)


class LifeCase(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="taud-test-")
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)

    def refused(self, *args: str) -> str:
        """Runs a taud that cannot start; its one line."""
        done = run_taud("--log-level", "error", *args,
                        env={"TAU_CERTIFICATE": CERTIFICATE.hex()})
        self.assertGreater(done.returncode, 0, "no failure, or a signal")
        self.assertEqual(done.stdout, "", "it said it was ready")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def wait_until(self, condition, what: str) -> None:  # type: ignore[no-untyped-def]
        deadline = time.monotonic() + 10 * PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)


class Start(LifeCase):
    def test_ready_line(self) -> None:
        """One line with the addresses, when they already accept."""
        with Server() as server:
            self.assertEqual(server.ready_line.count("\n"), 1)
            assert not isinstance(server.address, str)
            self.assertNotEqual(server.address[1], 0)
            server.connect().close()

    def test_port_in_use(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            line = self.refused("--data-dir", str(self.path / "data"), "--listen", address)
            self.assertIn(address, line)

    def test_second_server_on_the_same_port(self) -> None:
        with Server() as server:
            assert not isinstance(server.address, str)
            address = f"127.0.0.1:{server.address[1]}"
            line = self.refused("--data-dir", str(self.path / "data"), "--listen", address)
            self.assertIn(address, line)

    def test_unwritable_directory(self) -> None:
        file = self.path / "file"
        file.write_text("")
        directories = [file / "data", file, Path("/proc/nothing/data")]
        if os.geteuid() != 0:
            closed = self.path / "closed"
            closed.mkdir(mode=0o500)
            directories += [closed, closed / "data"]
        for directory in directories:
            with self.subTest(directory=directory):
                line = self.refused("--data-dir", str(directory), "--listen", "127.0.0.1:0")
                self.assertIn(str(directory), line)

    def test_second_server_on_the_same_directory(self) -> None:
        with Server() as server:
            line = self.refused("--data-dir", str(server.data_dir), "--listen", "127.0.0.1:0")
            self.assertIn(str(server.data_dir), line)
            server.connect().close()
            server.kill()
            server.start()

    def test_data_directory_is_created(self) -> None:
        directory = self.path / "a" / "b" / "c"
        with Server(data_dir=directory):
            self.assertTrue(directory.is_dir())

    def test_log_on_a_pipe_is_json(self) -> None:
        with Server("--log-level", "debug") as server:
            server.connect().close()
            server.stop()
            lines = server.log_text().splitlines()
            self.assertGreater(len(lines), 0)
            for line in lines:
                self.assertIsInstance(json.loads(line), dict, line)


class Addresses(LifeCase):
    def ping(self, address: raw.Address) -> None:
        with Connection(address, CERTIFICATE) as client:
            self.assertEqual(client.request(raw.PING).opcode, raw.PONG)

    def test_unix_socket(self) -> None:
        path = self.path / "tau.sock"
        with Server(listen=[f"unix:{path}"]) as server:
            self.assertEqual(server.addresses, [str(path)])
            self.ping(str(path))
            line = self.refused("--data-dir", str(self.path / "other"), "--listen", f"unix:{path}")
            self.assertIn(str(path), line)
            self.ping(str(path))
        self.assertFalse(path.exists(), "an orderly end removes it")

    def test_unix_socket_of_a_killed_server(self) -> None:
        path = self.path / "tau.sock"
        with Server(listen=[f"unix:{path}"]) as server:
            server.kill()
            self.assertTrue(path.exists())
            server.start()
            self.ping(str(path))

    def test_unix_path_that_is_something_else(self) -> None:
        """A file of somebody's is not removed to make room for a socket."""
        path = self.path / "precious"
        path.write_text("data")
        self.refused("--data-dir", str(self.path / "data"), "--listen", f"unix:{path}")
        self.assertEqual(path.read_text(), "data")

    def test_ipv6(self) -> None:
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("no IPv6 on this machine")
        with Server(listen=["[::1]:0", "127.0.0.1:0"]) as server:
            self.assertEqual({a[0] for a in server.addresses}, {"::1", "127.0.0.1"})
            for address in server.addresses:
                self.ping(address)


class Signals(LifeCase):
    def test_orderly_end(self) -> None:
        for by in (signal.SIGTERM, signal.SIGINT):
            with Server("--workers", "2") as server:
                with server.connect() as client:
                    self.assertEqual(client.create(label("s")), 0)
                    self.assertLess(server.stop(by), 5 * PATIENCE)
                    self.assertEqual(client.wait_for_end(5), b"")

    def test_what_was_read_is_finished(self) -> None:
        """Amid a pipeline: everything answered is stored, and everything stored was answered."""
        with Server("--workers", "2") as server:
            client = server.connect()
            series = label("s")
            self.assertEqual(client.create(series), 0)
            client.send(raw.join(raw.append_frame(series, t, t) for t in range(20_000)))
            client.receive_all(1000)
            server.process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]
            answered = 1000
            try:
                while client.receive().opcode == raw.OK:
                    answered += 1
            except raw.Closed:
                pass
            client.close()
            server.wait_for_end()
            server.start()
            with server.connect() as client:
                client.negotiate()
                self.assertEqual(client.query_range(series), [(t, t) for t in range(answered)])

    def test_told_again_and_again(self) -> None:
        """Signals that arrive while it stops change nothing."""
        for _ in range(5):
            with Server("--workers", "2") as server:
                client = server.connect()
                assert server.process is not None
                while server.running:
                    server.process.send_signal(signal.SIGTERM)
                    server.process.send_signal(signal.SIGINT)
                    time.sleep(0.0005)
                client.close()
                server.wait_for_end()

    def test_told_before_it_listens(self) -> None:
        """A stop that is asked for while the configuration is read is an orderly one, by any signal
        and whatever mask taud was started with. The file is a pipe: it is opened when main runs."""
        for number, masked in ((signal.SIGTERM, False), (signal.SIGINT, False),
                               (signal.SIGTERM, True)):
            with self.subTest(number=number, masked=masked):
                pipe = self.path / f"config.{number}.{masked}"
                os.mkfifo(pipe)
                server = Server("--config", str(pipe))
                process = subprocess.Popen(
                    server.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, env=clean_environment(),
                    preexec_fn=lambda: signal.pthread_sigmask(
                        signal.SIG_BLOCK if masked else signal.SIG_UNBLOCK, {number}))
                with open(pipe, "w", encoding="utf-8") as config:
                    process.send_signal(signal.SIGHUP)
                    process.send_signal(number)
                    time.sleep(0.05)  # a signal that is not held back would have ended it
                    config.write("# nothing\n")
                output, errors = process.communicate(timeout=20 * PATIENCE)
                server.remove()
                self.assertEqual(process.returncode, 0, errors)
                self.assertIn(b"listening on", output)
                self.assertIn(signal.Signals(number).name.encode(), errors)

    def test_end_with_connections_in_every_state(self) -> None:
        with Server("--workers", "2") as server:
            clients = [server.open() for _ in range(6)] + [server.connect() for _ in range(6)]
            for n, client in enumerate(clients):
                client.send((b"", b"TAU", frame(raw.PING)[:9], raw.header(raw.CONNECT, 32),
                             raw.header(raw.APPEND, 48) + b"half", frame(raw.PING))[n % 6])
            self.assertLess(server.stop(), 8 * PATIENCE)
            for client in clients:
                client.close()

    def test_no_new_connections_while_stopping(self) -> None:
        with Server() as server:
            server.stop()
            with self.assertRaises(OSError):
                server.open(timeout=1)

    def test_hangup_opens_the_log_anew(self) -> None:
        path, moved = self.path / "taud.log", self.path / "taud.log.1"
        with Server("--log-file", str(path), "--log-level", "debug") as server:
            self.wait_until(path.exists, "no log")
            path.rename(moved)
            server.connect().close()
            self.assertFalse(path.exists())
            server.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
            self.wait_until(path.exists, "SIGHUP does not open the log anew")
            before = moved.stat().st_size
            server.connect().close()
            server.stop()
            self.assertGreater(path.stat().st_size, 0)
            self.assertEqual(moved.stat().st_size, before)

    def test_hangup_without_a_log_file(self) -> None:
        with Server() as server:
            server.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
            time.sleep(0.1)
            server.connect().close()

    def test_pid_file(self) -> None:
        path = self.path / "taud.pid"
        with Server("--pid-file", str(path)) as server:
            self.assertEqual(path.read_text().strip(), str(server.pid))
            server.kill()
            server.start()
            self.assertEqual(path.read_text().strip(), str(server.pid), "a stale one is replaced")
            server.stop()
            self.assertFalse(path.exists())

    def test_client_that_goes_away_is_no_signal(self) -> None:
        """Writing to a connection that was reset does not end the server."""
        with Server() as server:
            for _ in range(50):
                client = server.connect()
                client.send(frame(raw.PING) * 5000)
                client.reset()
            server.connect().close()


class Starts(LifeCase):
    def test_many_starts_of_one_directory(self) -> None:
        """Start and end leave nothing behind that the next start trips over."""
        with Server() as server:
            for turn in range(10):
                with server.connect() as client:
                    self.assertEqual(client.create(label(f"s{turn}")), 0)
                if turn % 2:
                    server.stop()
                else:
                    server.kill()
                server.start()
            with server.connect() as client:
                client.negotiate()
                self.assertEqual(len(client.list_series()[1]), 10)

    def test_listens_only_after_replay(self) -> None:
        """Who gets through at all finds everything there."""
        path, series, count = self.path / "tau.sock", label("s"), 200_000
        with Server(listen=[f"unix:{path}"]) as server:
            with server.connect() as client:
                self.assertEqual(client.create(series), 0)
                for start in range(0, 10 * count, count):
                    numbers = range(start, start + count)
                    self.assertEqual(client.batch(series, numbers, numbers)[0], count)
            server.kill()
            found: list[raw.Reply] = []
            first = threading.Thread(target=self.first_to_connect, args=(str(path), series, found))
            first.start()
            server.start()
            first.join()
            self.assertEqual(found[0].payload[:9], b"\1" + struct.pack(">q", 10 * count - 1))

    def first_to_connect(self, path: str, series: bytes, found: list[raw.Reply]) -> None:
        deadline = time.monotonic() + 20 * PATIENCE
        while not found and time.monotonic() < deadline:
            try:
                with Connection(path, CERTIFICATE) as client:
                    found.append(client.request(raw.QUERY_LATEST, series))
            except (OSError, raw.Closed):
                time.sleep(0.001)

    def test_failed_start_leaves_the_directory_usable(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            directory = self.path / "data"
            with self.assertRaises(ServerFailed):
                Server(data_dir=directory, listen=[f"127.0.0.1:{taken.getsockname()[1]}"]).start()
        with Server(data_dir=directory) as server:
            server.connect().close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
