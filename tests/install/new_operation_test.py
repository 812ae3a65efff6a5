# SPDX-License-Identifier: MIT
"""Adding an operation takes one entry in the specification and one handler, and nothing else.

A copy of the whole tree gets both, as they stand in protocol/README.md, is published and built, its
tests with it; then the operation is called through the command line, the C library, Python and
JavaScript, against the copy's server, and the copy's own tests are run: all that read what is
generated.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

from tau_server import CERTIFICATE, Server

SOURCE = Path(os.environ["TAU_SOURCE_DIR"])
# Every test that reads the specification or what is made of it, but for long ones that see no more
# of an operation than others do.
TESTS = ("^(conformance|coverage|fuzz|gen|install|structure|unit"
         "|system.(cli_(commands|newer|output)|js_tcp|python_(client|package|session)))")
NOT_TESTS = ("^(unit.engine|coverage.recorder|fuzz.(config|log|text)"
             "|gen.(compile|evolution|faults|rebuild)"
             "|conformance.(authentication|query|rollup|stored|stream)"
             "|install.(consumer|examples|new_operation))")

C_PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <tau/client.h>

int main(int argc, char **argv)
{
    struct tau_options options;
    struct tau_client *client = NULL;
    struct tau_span_series_request request;
    struct tau_span_series_response span;
    struct tau_error error = {.message = "no certificate"};
    (void)argc;
    tau_options_init(&options);
    options.address = argv[1];
    if (tau_certificate_from_hex(getenv("TAU_CERTIFICATE"), &options.certificate) ||
        tau_label_from_text("hall", &request.label) || tau_client_new(&options, &client, &error) ||
        tau_client_span_series(client, &request, &span, &error)) {
        fprintf(stderr, "%s\\n", error.message);
        return 1;
    }
    printf("%llu %lld\\n", (unsigned long long)span.points, (long long)span.span);
    tau_client_free(client);
}
"""

PYTHON_PROGRAM = """
import os, sys, tau
with tau.Client(sys.argv[1], os.environ["TAU_CERTIFICATE"]) as client:
    found = client.span_series("hall")
    print(found.points, found.span)
"""

JS_PROGRAM = """
import { connectTcp } from '%s/tcp.js';
const [host, port] = process.argv[2].split(':');
const client = await connectTcp({
    host, port: Number(port), certificate: process.env.TAU_CERTIFICATE });
const { points, span } = await client.spanSeries({ label: 'hall' });
console.log(`${points} ${span}`);
await client.disconnect();
"""

EXPECTED = "3 120000000000"


def from_readme(language: str) -> str:
    """The first piece of a language in the walk through."""
    text = (SOURCE / "protocol" / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return textwrap.dedent(found[1])


def add(path: Path, text: str) -> None:
    """Takes a piece of the walk through into a file, unless whoever tries it has done so."""
    with path.open("r+", encoding="utf-8") as file:
        if text not in file.read():
            file.write("\n" + text)


def run(*command: object, env: dict[str, str] | None = None) -> str:
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            env={**os.environ, **(env or {})}, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{command}\n{result.stdout[-4000:]}{result.stderr[-4000:]}")
    return result.stdout.strip()


class NewOperation(unittest.TestCase):
    """One copy, built once."""

    directory: Path
    build: Path
    server: Server
    address: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = Path(tempfile.mkdtemp(prefix="tau-operation-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        source, cls.build = cls.directory / "tau", cls.directory / "build"
        ignore = shutil.ignore_patterns("__pycache__", ".mypy_cache", ".git", "build", "crash-*")
        shutil.copytree(SOURCE, source, ignore=ignore)
        add(source / "protocol" / "series.toml", from_readme("toml"))
        add(source / "server" / "service" / "series.c", from_readme("c"))
        run("cmake", "-S", source, "-B", cls.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
            "-DTAU_WERROR=ON", f"-DCMAKE_C_COMPILER={os.environ['TAU_CC']}",
            f"-DCMAKE_CXX_COMPILER={os.environ['TAU_CXX']}")
        run("cmake", "--build", cls.build, "--target", "publish")
        run("cmake", "--build", cls.build)
        # Not recorded: what it speaks is not the published specification.
        cls.server = Server(env={"TAU_TRAFFIC_DIR": ""}, bin_dir=cls.build / "bin")
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__, None, None, None)
        host, port = cls.server.addresses[0]
        cls.address = f"{host}:{port}"
        for minute in range(3):
            cls.cli("append", "--create", "hall", f"2026-01-01T00:0{minute}:00Z", str(minute))

    @classmethod
    def environment(cls) -> dict[str, str]:
        return {"TAU_CERTIFICATE": CERTIFICATE.hex(), "TAU_SERVER": cls.address}

    @classmethod
    def cli(cls, *words: str) -> str:
        return run(cls.build / "bin" / "tau-cli", *words, env=cls.environment())

    def test_command_line(self) -> None:
        self.assertEqual(self.cli("span", "hall", "--format", "csv").splitlines()[1],
                         EXPECTED.replace(" ", ","))
        self.assertIn("tell how far a series reaches", self.cli("--help"))

    def test_c_library(self) -> None:
        program = self.directory / "span.c"
        program.write_text(C_PROGRAM, encoding="utf-8")
        run("cmake", "--install", self.build, "--prefix", self.directory / "prefix")
        prefix = self.directory / "prefix"
        config = {"PKG_CONFIG_PATH": str(next(prefix.rglob("pkgconfig")))}
        flags = run("pkg-config", "--cflags", "--libs", "tauclient", env=config).split()
        libraries = str(next(prefix.rglob("libtauclient.so")).parent)
        run(os.environ["TAU_CC"], "-Wall", "-Wextra", "-Werror", program, "-o",
            self.directory / "span", *flags)
        env = {**self.environment(), "LD_LIBRARY_PATH": libraries}
        self.assertEqual(run(self.directory / "span", self.address, env=env), EXPECTED)

    def test_python(self) -> None:
        env = {**self.environment(), "PYTHONPATH": str(self.build / "python")}
        found = run(sys.executable, "-c", PYTHON_PROGRAM, self.address, env=env)
        self.assertEqual(found, EXPECTED)

    @unittest.skipUnless(shutil.which("node"), "there is no node")
    def test_javascript(self) -> None:
        program = self.directory / "span.mjs"
        program.write_text(JS_PROGRAM % (self.build / "js"), encoding="utf-8")
        self.assertEqual(run("node", program, self.address, env=self.environment()), EXPECTED)

    def test_it_explains_itself(self) -> None:
        published = self.directory / "tau" / "protocol" / "published"
        for name in ("reference.md", "vectors.jsonl", "specification.json", "tau.lua"):
            text = (published / name).read_text(encoding="utf-8")
            self.assertIn("span_series", text.lower(), name)

    def test_its_tests(self) -> None:
        """No list, table or double of a test has to know the operation."""
        env = {"TAU_TRAFFIC_DIR": "", "PYTHONPATH": ""}
        run("ctest", "--test-dir", self.build, "--output-on-failure", "--no-tests=error",
            "--parallel", os.cpu_count() or 1, "-R", TESTS, "-E", NOT_TESTS, env=env)


if __name__ == "__main__":
    unittest.main()
