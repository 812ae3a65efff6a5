# SPDX-License-Identifier: MIT
# ctest: timeout=60
"""How the two commands get what is missing: as root, through sudo, or not at all.

dpkg-query, apt-get and sudo are stand-ins that write down what they were asked, so the test changes
nothing on this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tau_server import SOURCE_DIR, clean_environment

DPKG_QUERY = """#!/bin/sh
for package; do :; done
case " $PRESENT " in *" $package "*) printf 'ii ' ;; *) echo none >&2; exit 1 ;; esac
"""
APT_GET = '#!/bin/sh\necho "apt-get $* ($DEBIAN_FRONTEND)" >>"$CALLS"\n'
SUDO = '#!/bin/sh\necho "sudo $*" >>"$CALLS"\n[ -n "$MAY" ] || exit 1\n[ "$1" = true ] || ' \
       'shift\nexec "$@"\n'
INSTALL = 'set -euo pipefail; source .ci/packages.sh; tau_install one two three; echo went on'


class Packages(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="taud-test-")
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)
        self.path.chmod(0o777)
        self.calls = self.path / "calls"
        self.calls.touch()
        self.calls.chmod(0o666)
        for name, text in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET), ("sudo", SUDO)):
            tool = self.path / name
            tool.write_text(text)
            tool.chmod(0o755)

    def install(self, user: bool, present: str = "", may: str = "") \
            -> "subprocess.CompletedProcess[str]":
        command = ["bash", "-c", INSTALL]
        if user and os.geteuid() == 0:
            if not shutil.which("setpriv") or not SOURCE_DIR.stat().st_mode & 0o005:
                self.skipTest("cannot become another user")
            command = ["setpriv", "--reuid=65534", "--clear-groups", *command]
        elif not user and os.geteuid() != 0:
            self.skipTest("not root")
        env = clean_environment({"PATH": f"{self.path}:{os.environ['PATH']}", "MAY": may,
                                 "PRESENT": present, "CALLS": str(self.calls)})
        return subprocess.run(command, cwd=SOURCE_DIR, env=env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=30, check=False)

    def apt_calls(self) -> list[str]:
        lines = self.calls.read_text().splitlines()
        return [line for line in lines if line.startswith("apt-get")]

    def expect_installed(self) -> None:
        update, install = self.apt_calls()
        self.assertTrue(update.endswith(" update (noninteractive)"), update)
        self.assertTrue(install.endswith(" install --yes --no-install-recommends one three "
                                         "(noninteractive)"), install)

    def test_nothing_is_missing(self) -> None:
        done = self.install(user=False, present="one two three")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "went on\n", ""))
        self.assertEqual(self.calls.read_text(), "")

    def test_as_root(self) -> None:
        done = self.install(user=False, present="two")
        self.assertEqual((done.returncode, done.stdout), (0, "went on\n"), done.stderr)
        self.expect_installed()
        self.assertNotIn("sudo", self.calls.read_text())

    def test_with_sudo(self) -> None:
        done = self.install(user=True, present="two", may="yes")
        self.assertEqual((done.returncode, done.stdout), (0, "went on\n"), done.stderr)
        self.expect_installed()

    def test_without_rights(self) -> None:
        """The exact line to run, and exit code 1."""
        done = self.install(user=True, present="two")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("\n    apt-get update && apt-get install --yes --no-install-recommends "
                      "one three\n", done.stderr)
        self.assertEqual(self.apt_calls(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
