# SPDX-License-Identifier: MIT
"""Installs the library into an empty folder and builds a consumer from nothing else.

In C11 and C++11, through pkg-config and through find_package, shared and static; each is run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Mapping, Optional, Sequence

SOURCE = Path(os.environ["TAU_SOURCE_DIR"])
BUILD = Path(os.environ["TAU_BUILD_DIR"])
CONSUMER = SOURCE / "tests" / "install" / "consumer"
CC = os.environ["TAU_CC"]
CXX = os.environ["TAU_CXX"]
CMAKE = os.environ["TAU_CMAKE"]
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")


def instrumentation() -> list[str]:
    """A library that was built with sanitizers needs their run time in the program too."""
    flags = []
    if os.environ.get("TAU_SANITIZE"):
        flags.append(f"-fsanitize={os.environ['TAU_SANITIZE']}")
    if os.environ.get("TAU_COVERAGE") in ("ON", "1", "TRUE"):
        flags.append("--coverage")
    return flags


def run(command: Sequence[str], env: Optional[Mapping[str, str]] = None,
        cwd: Optional[Path] = None) -> str:
    result = subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout


def names(text: str, path: Path) -> bool:
    """Whether a text names an absolute path or what is below it: not `include/tau` for `/tau`."""
    pattern = rf"(?<![\w.}}/-])(?:-[IL])?{re.escape(str(path))}(?![\w.-])"
    return re.search(pattern, text) is not None


class Consumer(unittest.TestCase):
    root: Path
    prefix: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.root = Path(tempfile.mkdtemp(prefix="tau-install-"))
        cls.prefix = cls.root / "moved"
        installed = cls.root / "prefix"
        run([CMAKE, "--install", str(BUILD), "--component", "client", "--prefix", str(installed)])
        installed.rename(cls.prefix)  # nothing that was installed may depend on its place

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.root)

    def library_folder(self) -> Path:
        return next(self.prefix.rglob("libtauclient.so")).parent

    def environment(self) -> dict[str, str]:
        folder = self.library_folder()
        return {**os.environ, "PKG_CONFIG_PATH": str(folder / "pkgconfig"),
                "LD_LIBRARY_PATH": str(folder), "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def test_what_is_installed(self) -> None:
        names = {path.name for path in self.prefix.rglob("*") if not path.is_dir()}
        for name in ("libtauclient.so", "libtauclient.so.1", "libtauclient.a", "tauclient.pc",
                     "tauclient-config.cmake", "tauclient-config-version.cmake", "client.h",
                     "protocol.h", "operations.h", "batcher.h", "poll.h", "libevent.h"):
            self.assertIn(name, names)
        headers = {path.parent.name for path in self.prefix.rglob("*.h")}
        self.assertEqual(headers, {"tau"})

    def test_no_file_names_the_build(self) -> None:
        for path in self.prefix.rglob("*"):
            if path.suffix in (".h", ".pc", ".cmake"):
                text = path.read_text()
                self.assertFalse(names(text, BUILD), path)
                self.assertFalse(names(text, SOURCE), path)

    def test_a_name_of_the_build_would_be_found(self) -> None:
        for text in ("-I/tau/include", "Libs: -L/tau/lib", '"/tau"', "a=/tau;/usr", "/tau"):
            self.assertTrue(names(text, Path("/tau")), text)
        for text in ("include/tau/client.h", "${prefix}/tau", "/taud", "/usr/tau", "../tau"):
            self.assertFalse(names(text, Path("/tau")), text)

    def test_pkg_config(self) -> None:
        env = self.environment()
        flags = run(["pkg-config", "--cflags", "--libs", "tauclient"], env).split()
        version = run(["pkg-config", "--modversion", "tauclient"], env).strip()
        for compiler, language in ((CC, ("-x", "c", "-std=c11")),
                                   (CXX, ("-x", "c++", "-std=c++11"))):
            for kind in ("shared", "static"):
                with self.subTest(compiler=compiler, kind=kind):
                    program = self.root / "program"
                    libraries = flags
                    if kind == "static":
                        archive = str(self.library_folder() / "libtauclient.a")
                        libraries = [archive if f == "-ltauclient" else f for f in flags]
                    run([compiler, *language, *STRICT, *instrumentation(),
                         f'-DCONSUMER_VERSION="{version}"', str(CONSUMER / "consumer.c"),
                         "-x", "none", "-o", str(program), *libraries])
                    run([str(program)], env)

    def test_find_package(self) -> None:
        build = self.root / "build"
        flags = " ".join(instrumentation())
        run([CMAKE, "-S", str(CONSUMER), "-B", str(build), f"-DCMAKE_PREFIX_PATH={self.prefix}",
             f"-DCMAKE_C_COMPILER={CC}", f"-DCMAKE_CXX_COMPILER={CXX}",
             f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"])
        run([CMAKE, "--build", str(build)])
        for library in ("tauclient", "tauclient_static"):
            for language in ("c", "cxx"):
                with self.subTest(library=library, language=language):
                    run([str(build / f"{language}_{library}")], self.environment())


if __name__ == "__main__":
    if shutil.which("pkg-config") is None:
        print("pkg-config is not there")
        sys.exit(77)
    unittest.main()
