# SPDX-License-Identifier: MIT
"""A disk whose power can be cut: an ext4 file system in memory, behind a loop device.

The image is a file in memory that is sealed at the cut. From that instant on no block gets to it:
it is exactly what the kernel had handed down by then, and what was still in the page cache is lost
with the mount. Then a copy of it is mounted.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Optional

F_ADD_SEALS, F_SEAL_WRITE = 1033, 8  # of <linux/fcntl.h>


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


def new_image(size: int) -> int:
    image = os.memfd_create("disk", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(image, size)
    return image


def path_of(image: int) -> str:
    return f"/proc/{os.getpid()}/fd/{image}"


def copy_image(image: int, size: int) -> int:
    """A copy of what is no hole."""
    copy, end = new_image(size), 0
    while end < size:
        try:
            begin = os.lseek(image, end, os.SEEK_DATA)
        except OSError:  # only a hole is left
            break
        end = os.lseek(image, begin, os.SEEK_HOLE)
        os.lseek(image, begin, os.SEEK_SET)
        os.lseek(copy, begin, os.SEEK_SET)
        while begin < end:
            begin += os.sendfile(copy, image, None, end - begin)
    return copy


class Disk:
    """Mounted from its beginning to its removal, but for the moment of a cut."""

    def __init__(self, megabytes: int = 128) -> None:
        self.size = megabytes << 20
        self.directory = Path(tempfile.mkdtemp(prefix="taud-test-disk-"))
        self.image = new_image(self.size)
        self.cut_image = -1  # the one before, as the last cut left it
        self.mounted = False
        try:
            run("mkfs.ext4", "-q", "-F", path_of(self.image))
            self._mount()
        except OSError:
            self.remove()
            raise

    def _mount(self) -> None:
        run("mount", "-t", "ext4", "-o", "loop", path_of(self.image), str(self.directory))
        self.mounted = True

    def cut(self) -> None:
        """No block gets through any more. Whoever writes now gets an I/O error."""
        fcntl.fcntl(self.image, F_ADD_SEALS, F_SEAL_WRITE)

    def restart(self) -> None:
        """Behind a cut, when nobody has a file open."""
        self._unmount()
        if self.cut_image >= 0:
            os.close(self.cut_image)
        self.cut_image = self.image
        self.image = copy_image(self.cut_image, self.size)
        self._mount()

    def save_cut(self) -> Path:
        """What the last cut left, for whoever is to find out why a server makes no good of it."""
        file, path = tempfile.mkstemp(prefix="taud-test-cut-", suffix=".ext4")
        os.sendfile(file, self.cut_image, 0, self.size)
        os.close(file)
        return Path(path)

    def _unmount(self) -> None:
        run("umount", str(self.directory))
        self.mounted = False

    def remove(self) -> None:
        if self.mounted:
            self._unmount()
        for image in (self.image, self.cut_image):
            if image >= 0:
                os.close(image)
        self.directory.rmdir()


def why_not() -> Optional[str]:
    """Why there can be no such disk here, or None."""
    try:
        Disk(16).remove()
    except OSError as error:
        return str(error)
    return None
