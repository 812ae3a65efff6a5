# SPDX-License-Identifier: MIT
"""Measures taud beside Redis, its codec beside others and its storage beside other databases, on
this machine, and prints tables.

Servers are started on loopback in fresh directories and stopped by their process. The measurements
of both are interleaved round by round, and the best of the rounds is compared with the best, so a
machine that is shared for a while slows neither side alone. The codec and the chunks of the engine
have programs of their own, which do the same; the storage has the package beside this file. Must
know nothing of how taud works.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from storage import workloads
from storage.table import limit_words
from storage.tools import Programs

SOURCE_DIR = Path(__file__).resolve().parents[2]
READY_S = 30
REPETITIONS = 3
MEASUREMENTS = ["codec", "chunk", "throughput", "latency", "batches", "idle", "storage"]
SMALL = 0.1  # what --scale small means


class Measured(dict[str, float]):
    """One measurement: rate in requests/s, p50_us, p99_us."""


@contextlib.contextmanager
def process(command: list[str], env: dict[str, str],
            directory: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(command, env=env, cwd=directory, text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def taud(binary: Path, root: str, *options: str) -> Iterator[tuple[int, dict[str, str], int]]:
    """Yields the port, the environment that holds the certificate, and the process's id."""
    env = dict(os.environ, TAU_CERTIFICATE=secrets.token_hex(32))
    with tempfile.TemporaryDirectory(dir=root) as directory:
        command = [str(binary), "--listen", "127.0.0.1:0", "--data-dir", directory, *options]
        with process(command, env, directory) as child:
            assert child.stdout is not None
            line = child.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            if not found:
                raise SystemExit(f"taud did not start: {line!r}")
            yield int(found.group(1)), env, child.pid


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def redis(root: str, *options: str) -> Iterator[int]:
    port = free_port()
    with tempfile.TemporaryDirectory(dir=root) as directory:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", directory,
                   "--save", "", *options]
        with process(command, dict(os.environ), directory) as child:
            deadline = time.monotonic() + READY_S
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if child.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit("redis-server did not start")
                    time.sleep(0.05)
            yield port


def run_redis(port: int, test: str, connections: int, depth: int, requests: int) -> Measured:
    text = subprocess.run(
        ["redis-benchmark", "-p", str(port), "-t", test, "-c", str(connections), "-P", str(depth),
         "-n", str(requests), "-r", "1000", "-d", "8", "--csv"],
        check=True, capture_output=True, text=True).stdout
    row = list(csv.DictReader(io.StringIO(text)))[-1]
    return Measured(rate=float(row["rps"]), p50_us=float(row["p50_latency_ms"]) * 1000,
                    p99_us=float(row["p99_latency_ms"]) * 1000)


class Bench:
    def __init__(self, build: Path, root: str, scale: float) -> None:
        self.taud = build / "bin" / "taud"
        self.load = build / "tests" / "bench_load"
        self.batch = build / "tests" / "bench_batch"
        self.codec_bench = build / "tests" / "bench_codec"
        self.chunk_bench = build / "tests" / "bench_chunk"
        self.root = root
        self.scale = scale
        self.rows: list[tuple[str, str]] = []
        self.missed = 0

    def count(self, requests: int) -> int:
        return max(1000, int(requests * self.scale))

    def run_taud(self, operation: str, connections: int, depth: int, requests: int,
                 durability: str) -> Measured:
        before = ["-b", "1000"] if operation == "query" else []
        with taud(self.taud, self.root, "--durability", durability) as (port, env, _):
            text = subprocess.run(
                [str(self.load), "-p", str(port), "-o", operation, "-c", str(connections), "-d",
                 str(depth), "-n", str(self.count(requests)), *before],
                env=env, check=True, capture_output=True, text=True).stdout
        return Measured(json.loads(text))

    def redis(self, test: str, connections: int, depth: int, requests: int,
              always: bool) -> Measured:
        options = ["--appendonly", "yes", "--appendfsync", "always"] if always else []
        with redis(self.root, *options) as port:
            if test == "get":
                run_redis(port, "set", connections, depth, 100000)
            return run_redis(port, test, connections, depth, self.count(requests))

    def best(self, figure: str, better: Callable[..., Measured],
             *measure: Callable[[], Measured]) -> list[Measured]:
        """Runs the measurements in turn, several times, and keeps the best of each."""
        results: list[list[Measured]] = [[] for _ in measure]
        for _ in range(REPETITIONS):
            for kept, once in zip(results, measure):
                kept.append(once())
                print(".", end="", file=sys.stderr, flush=True)
        return [better(kept, key=lambda m: m[figure]) for kept in results]

    def say(self, name: str, figure: str, goal: str, held: bool) -> None:
        self.missed += not held
        print(f"\r{name:<46} {figure:<58} {goal:<22} {'reached' if held else 'MISSED'}", flush=True)

    def throughput(self) -> None:
        (append1000, append100, query1000, query100, set1000, set100, get1000, get100, always1000,
         always100) = self.best(
            "rate", max,
            lambda: self.run_taud("append", 4, 1000, 6_000_000, "sync"),
            lambda: self.run_taud("append", 4, 100, 2_000_000, "sync"),
            lambda: self.run_taud("query", 4, 1000, 6_000_000, "os"),
            lambda: self.run_taud("query", 4, 100, 4_000_000, "os"),
            lambda: self.redis("set", 4, 1000, 3_000_000, False),
            lambda: self.redis("set", 4, 100, 3_000_000, False),
            lambda: self.redis("get", 4, 1000, 3_000_000, False),
            lambda: self.redis("get", 4, 100, 3_000_000, False),
            lambda: self.redis("set", 4, 1000, 1_000_000, True),
            lambda: self.redis("set", 4, 100, 500_000, True))
        redis_set = max(set1000["rate"], set100["rate"])
        redis_get = max(get1000["rate"], get100["rate"])

        def compare(name: str, mine: Measured, peer: float, peer_name: str, factor: float) -> None:
            ratio = mine["rate"] / peer
            self.say(name, f"{mine['rate'] / 1e6:6.2f} M/s, {peer_name} {peer / 1e6:5.2f} M/s, "
                           f"{ratio:5.2f} x",
                     f"at least {factor} x", ratio >= factor)

        compare("APPEND sync, 4 x 1,000", append1000, redis_set, "SET", 2)
        compare("APPEND sync, 4 x 1,000", append1000, always1000["rate"], "SET always", 3)
        compare("APPEND sync, 4 x 100", append100, always100["rate"], "SET always", 3)
        compare("QUERY_POINT, 4 x 1,000", query1000, redis_get, "GET", 3)
        compare("QUERY_POINT, 4 x 100", query100, get100["rate"], "GET at 100", 3)

    def latency(self) -> None:
        os_append, set_plain, sync_append, set_always = self.best(
            "p50_us", min,
            lambda: self.run_taud("append", 1, 1, 30_000, "os"),
            lambda: self.redis("set", 1, 1, 30_000, False),
            lambda: self.run_taud("append", 1, 1, 10_000, "sync"),
            lambda: self.redis("set", 1, 1, 10_000, True))

        def compare(name: str, mine: Measured, peer: Measured, factor: float) -> None:
            ratio = mine["p50_us"] / peer["p50_us"]
            self.say(name, f"p50 {mine['p50_us']:6.1f} us, Redis {peer['p50_us']:6.1f} us, "
                           f"{ratio:5.2f} x",
                     f"at most {factor} x", ratio <= factor)

        compare("APPEND os, one at a time, Redis SET", os_append, set_plain, 1.2)
        compare("APPEND sync, one at a time, SET always", sync_append, set_always, 1.0)

    def batches(self) -> None:
        def once() -> Measured:
            with taud(self.taud, self.root, "--durability", "sync") as (port, env, _):
                command = [str(self.batch), f"127.0.0.1:{port}", str(self.count(60_000_000))]
                text = subprocess.run(command, env=env, check=True, capture_output=True,
                                      text=True).stdout
            return Measured(json.loads(text))

        result, = self.best("rate", max, once)
        self.say("batch append through the SDK, sync", f"{result['rate'] / 1e6:6.1f} M points/s",
                 "at least 30 M points/s", result["rate"] >= 30e6)

    def codec(self) -> None:
        self.missed += subprocess.run([str(self.codec_bench)]).returncode != 0

    def chunk(self) -> None:
        nab = Path(os.environ.get("TAU_NAB_DIR", SOURCE_DIR.parent / "shared" / "data" / "nab"))
        data = [str(nab)] if nab.is_dir() else []
        self.missed += subprocess.run([str(self.chunk_bench), *data]).returncode != 0

    def idle(self, connections: int = 10_000) -> None:
        with taud(self.taud, self.root) as (port, env, pid):
            certificate = bytes.fromhex(env["TAU_CERTIFICATE"])
            connect = b"TAU\x01\x01\x00\x00\x00\x00\x20" + certificate
            before = resident_bytes(pid)
            sockets = []
            for _ in range(connections):
                s = socket.create_connection(("127.0.0.1", port))
                s.sendall(connect)
                sockets.append(s)
            for s in sockets:
                if s.recv(10)[4] != 0xF0:
                    raise SystemExit("CONNECT was refused")
            each = (resident_bytes(pid) - before) / connections
            for s in sockets:
                s.close()
        self.say(f"{connections:,} idle connections", f"{each:6.0f} bytes of resident memory each",
                 "at most 2,048 bytes", each <= 2048)


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("the server is gone")


def raise_descriptor_limit() -> None:
    import resource
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def scale_of(text: str) -> float:
    value = SMALL if text == "small" else float(text)
    if not 0 < value <= 10:
        raise argparse.ArgumentTypeError("a scale is above 0 and at most 10, or small")
    return value


def words_of(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """Reads a list with commas."""
    def read(text: str) -> list[str]:
        chosen = text.split(",")
        if not set(chosen) <= set(choices):
            raise argparse.ArgumentTypeError(f"any of {','.join(choices)}")
        return chosen
    return read


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, help="a release build of the project")
    parser.add_argument("--scale", type=scale_of, default=1.0,
                        help=f"multiplies the number of requests and points; small is {SMALL}")
    parser.add_argument("--only", choices=MEASUREMENTS)
    servers = [*workloads.PEERS, *workloads.STORES]
    parser.add_argument("--workloads", type=words_of(workloads.LETTERS), metavar="LETTER,...",
                        default=list(workloads.LETTERS), help="of the storage benchmark")
    parser.add_argument("--servers", type=words_of(servers), metavar="NAME,...", default=servers,
                        help="of the storage benchmark: " + ", ".join(servers))
    options = parser.parse_args()
    chosen = [name for name in MEASUREMENTS if options.only in (None, name)]
    if not set(chosen) <= {"codec", "chunk", "storage"} and not shutil.which("redis-server"):
        print("redis-server is not installed: apt-get install redis-server", file=sys.stderr)
        return 1
    raise_descriptor_limit()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="tau-bench-", dir=build) as root:
        if not set(chosen) <= {"codec", "chunk", "storage"}:
            print(limit_words(Programs(build).run("limits", root)), flush=True)
        bench = Bench(build, root, options.scale)
        for name in chosen:
            if name == "storage":
                bench.missed += workloads.Run(build, Path(root) / name, options.scale,
                                              "".join(options.workloads), options.servers).go()
            else:
                getattr(bench, name)()
    return 1 if bench.missed else 0


if __name__ == "__main__":
    sys.exit(main())
