# SPDX-License-Identifier: MIT
"""Runs tshark with the generated dissector and reads what it shows of every frame."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from capture_file import PUBLISHED, SPECIFICATION, operations

TSHARK = shutil.which("tshark")
DISSECTOR = PUBLISHED / "tau.lua"
LONG_ARRAY, LONG_BYTES = 16, 64  # longer ones are written as their size, as the vectors do

_STATUSES = {s["code"]: s["name"] for s in SPECIFICATION["statuses"]}
PAYLOADS: dict[str, Any] = {
    p["name"]: p
    for p in [o[k] for o in operations() for k in ("request", "response")]
    + [r["payload"] for r in SPECIFICATION["replies"]]}


@dataclass
class Frame:
    """What was shown of one frame, in the words of the golden vectors."""

    packet: int = 0
    direction: str = ""
    operation: Optional[str] = None
    opcode: Optional[int] = None
    flags: Optional[int] = None
    length: Optional[int] = None
    payload: Optional[str] = None
    fields: dict[str, Any] = field(default_factory=dict)
    error: Optional[tuple[str, Optional[str], int]] = None
    extra: int = 0
    answers: Optional[int] = None
    answered_in: Optional[int] = None
    bytes: int = 0  # of what is no frame


def number(raw: bytes, signed: bool = False) -> int:
    return int.from_bytes(raw, "big", signed=signed)


def value_of(type_name: str, raw: bytes) -> Any:
    """One value of the wire as the vectors write it."""
    type_ = SPECIFICATION["types"].get(type_name, {"kind": "status"})
    kind = type_["kind"]
    if kind == "struct":
        ends = [m["offset"] for m in type_["members"][1:]] + [len(raw)]
        return {m["name"]: value_of(m["type"], raw[m["offset"]:end])
                for m, end in zip(type_["members"], ends)}
    if kind in ("bytes", "blob"):
        return raw.hex()
    if kind == "text":
        return raw.decode()
    if kind == "float":
        return f"0x{raw.hex()}"
    if kind == "bool":
        return bool(number(raw))
    if kind == "status":
        return _STATUSES.get(number(raw), number(raw))
    if kind == "enum":
        names = {v["value"]: v["name"] for v in type_["values"]}
        return names.get(number(raw), number(raw))
    return number(raw, type_["signed"])


def _raw(item: ElementTree.Element) -> bytes:
    return bytes.fromhex(item.get("value") or "")


def _named(items: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [i for i in items.iter("field") if i.get("name") == name]


def _struct(item: ElementTree.Element, name: str, type_name: str) -> Any:
    """A value from the item that shows it; that of a struct from those of its members."""
    type_ = SPECIFICATION["types"].get(type_name, {"kind": "status"})
    if type_["kind"] != "struct":
        return value_of(type_name, _raw(item))
    return {m["name"]: _struct(_named(item, f"{name}.{m['name']}")[0], f"{name}.{m['name']}",
                               m["type"]) for m in type_["members"]}


def _field(tree: ElementTree.Element, payload: str, row: dict[str, Any]) -> Any:
    name = f"tau.{payload}.{row['name']}"
    if row["shape"] in ("counted_array", "rest_array"):
        items = _named(tree, f"{name}.elements")
        count = int(items[0].get("show") or "0") if items else 0
        if not items or count > LONG_ARRAY:
            return {"elements": count} if items else None
        # Not within each other: an element that is a struct holds its members.
        return [_struct(item, name, row["type"]) for item in _named(items[0], name)]
    items = _named(tree, name)
    if not items:
        return None
    raw = _raw(items[0])
    if row["shape"] in ("sized", "rest") and len(raw) > LONG_BYTES:
        return {"bytes": len(raw)}
    return _struct(items[0], name, row["type"])


def _shown(tree: ElementTree.Element, name: str) -> Optional[str]:
    items = _named(tree, name)
    return items[0].get("show") if items else None


def _number(tree: ElementTree.Element, name: str) -> Optional[int]:
    text = _shown(tree, name)
    return None if text is None else int(text, 0)


def read_frame(tree: ElementTree.Element, packet: int) -> Frame:
    frame = Frame(packet, _shown(tree, "tau.direction") or "", _shown(tree, "tau.operation"),
                  _number(tree, "tau.opcode"), _number(tree, "tau.flags"),
                  _number(tree, "tau.payload_length"))
    frame.answers = _number(tree, "tau.answers")
    frame.answered_in = _number(tree, "tau.answered_in")
    names = [i.get("name") or "" for i in tree.iter("field")]
    payloads = {n.split(".")[1] for n in names if n.count(".") >= 2} & set(PAYLOADS)
    assert len(payloads) <= 1, payloads
    status = _number(tree, "tau.error.status")
    if status is not None:
        at_fault = _shown(tree, "tau.error.field")
        frame.error = (_STATUSES[status], None if at_fault in (None, "none") else at_fault,
                       _number(tree, "tau.error.offset") or 0)
    if payloads:
        frame.payload = payloads.pop()
        frame.fields = {row["name"]: _field(tree, frame.payload, row)
                        for row in PAYLOADS[frame.payload]["fields"]}
    frame.extra = sum(len(_raw(i)) for i in _named(tree, "tau.extra"))
    frame.bytes = sum(len(_raw(i)) for n in ("tau.noise", "tau.cut") for i in _named(tree, n))
    return frame


def dissect(capture: bytes, *options: str, two_passes: bool = False,
            dissector: Path = DISSECTOR) -> list[Frame]:
    """Every frame that tshark shows of a capture. A fault of the dissector's own fails."""
    assert TSHARK is not None
    with tempfile.TemporaryDirectory(prefix="tau-wireshark-") as directory:
        path = Path(directory) / "capture.pcap"
        path.write_bytes(capture)
        env = {**os.environ, "HOME": directory, "XDG_CONFIG_HOME": directory, "LC_ALL": "C.UTF-8"}
        passes = ["-2"] if two_passes else []
        done = subprocess.run(
            [TSHARK, *passes, "-n", "-r", str(path), "-X", f"lua_script:{dissector}", "-T", "pdml",
             "-J", "tau", *options],
            capture_output=True, env=env, check=False, timeout=300)
    errors = done.stderr.decode(errors="replace")
    assert done.returncode == 0 and "lua" not in errors.lower(), errors
    assert b"Lua Error" not in done.stdout, "an error in Lua"
    frames = []
    for number_, packet in enumerate(ElementTree.fromstring(done.stdout).iter("packet"), 1):
        frames += [read_frame(tree, number_) for tree in packet.findall("proto")
                   if tree.get("name") == "tau"]
    return frames
