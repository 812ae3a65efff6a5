# SPDX-License-Identifier: MIT
"""Finds the backends: every module of this package named emit_*.

A backend states OUTPUTS, the paths that it writes, and has emit(model), which gives their text. It
may state GROUP = "published" for outputs that people read and that are checked in; the group of all
others is "build".
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Callable

from .model import Model

GROUPS = ("build", "published")


@dataclass(frozen=True)
class Backend:
    """One module that writes outputs."""

    name: str
    group: str
    outputs: tuple[str, ...]
    emit: Callable[[Model], dict[str, str]]


def backends(group: str) -> list[Backend]:
    """The backends of a group, by name."""
    package = importlib.import_module(__package__ or "taugen")
    found: list[Backend] = []
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        if not module.startswith("emit_"):
            continue
        loaded = importlib.import_module(f"{package.__name__}.{module}")
        backend = Backend(module, getattr(loaded, "GROUP", "build"), loaded.OUTPUTS, loaded.emit)
        if backend.group == group:
            found.append(backend)
    return found


def outputs(group: str) -> list[str]:
    """The paths that a group writes, in order; a path belongs to one backend."""
    found = [path for backend in backends(group) for path in backend.outputs]
    doubled = sorted({path for path in found if found.count(path) > 1})
    if doubled:
        raise RuntimeError(f"two backends write {doubled[0]}")
    return sorted(found)


def emit_all(model: Model, group: str) -> dict[str, str]:
    """The text of every output of a group."""
    texts: dict[str, str] = {}
    for backend in backends(group):
        emitted = backend.emit(model)
        if set(emitted) != set(backend.outputs):
            raise RuntimeError(f"{backend.name} does not write what its OUTPUTS state")
        texts.update(emitted)
    return texts
