# SPDX-License-Identifier: MIT
"""Limits whose meaning the specification states in words only, and how traffic shows each.

Those that bound a field need no rule here: they follow from the field. A limit that neither bounds
a field nor stands here is reported as never exercised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from traffic import Connection

if TYPE_CHECKING:
    from tally import Tally

KEPT, CLOSED = "kept until then", "closed then"
TAKEN, REFUSED = "taken", "one more refused"
REACHED = "reached by a frame"

RULES: dict[str, tuple[str, ...]] = {
    "payload_bytes": (TAKEN, REFUSED),
    "unauthenticated_payload_bytes": (TAKEN, REFUSED),
    "stream_frame_bytes": (REACHED,),
    "connect_tries": (TAKEN, REFUSED),
    "authentication_ms": (KEPT, CLOSED),
    "closing_drain_ms": (KEPT, CLOSED),
    "lens_transforms": (TAKEN, REFUSED),
    "lenses": (REFUSED,),
    "aggregate_buckets": (REFUSED,),
    "rollups": (REFUSED,),
    "source_rollups": (TAKEN, REFUSED),
}

_SLACK_MS = 4000  # how late a deadline may be noticed; other deadlines are further away
_NEAR = 0.75  # a connection that lived for this part of its time was kept


class Limits:
    """Watches one connection for what it shows of limits."""

    def __init__(self, tally: "Tally") -> None:
        self.tally = tally
        self.values = {name: int(limit["value"]) for name, limit in tally.model.limits.items()}
        self.transforms: dict[bytes, int] = {}  # of the lenses that this connection made
        self.rules: dict[bytes, int] = {}  # how many it made for a source

    def count(self, name: str, rule: str) -> None:
        if name in self.values:
            self.tally.count("limit", f"{name} = {self.values[name]}: {rule}")

    def header(self, length: int, state: str, status: str) -> None:
        """A request of this length got this status, or success."""
        if "payload_bytes" in self.values:
            most = self.values["payload_bytes"]
            if length == most and status != "payload_too_large":
                self.count("payload_bytes", TAKEN)
            if length == most + 1 and status == "payload_too_large":
                self.count("payload_bytes", REFUSED)
        if state == self.tally.model.initial and "unauthenticated_payload_bytes" in self.values:
            most = self.values["unauthenticated_payload_bytes"]
            if length == most and status == "success":
                self.count("unauthenticated_payload_bytes", TAKEN)
            if length == most + 1 and status != "success":
                self.count("unauthenticated_payload_bytes", REFUSED)

    def stream_frame(self, size: int, largest: int) -> bool:
        """A frame of a stream's reply; False when it is larger than may be."""
        most = self.values.get("stream_frame_bytes", largest)
        if size == min(most, largest):
            self.count("stream_frame_bytes", REACHED)
        return size <= most

    def authenticated(self, failures: int) -> None:
        if failures == self.values.get("connect_tries", 0) - 1:
            self.count("connect_tries", TAKEN)

    def exhausted(self) -> None:
        self.count("connect_tries", REFUSED)

    def lens(self, operation: str, payload: bytes, status: str) -> None:
        """A lens is made of a series or a lens, or of two lenses; each counts its transforms."""
        label, first, second = payload[:32], payload[32:64], payload[64:]
        made = self.transforms.get(first, 0)
        made += 1 if operation == "CREATE_LENS" else self.transforms.get(second, 0)
        most = self.values.get("lens_transforms", 0)
        if status == "success":
            self.transforms[label] = made
            if made == most:
                self.count("lens_transforms", TAKEN)
        elif status == "limit_exceeded":
            self.count("lens_transforms" if made > most else "lenses", REFUSED)

    def rollup(self, payload: bytes, status: str) -> None:
        """A rule has a target, then a source."""
        source, most = payload[32:64], self.values.get("source_rollups", 0)
        made = self.rules.get(source, 0)
        if status == "success":
            self.rules[source] = made + 1
            if made + 1 == most:
                self.count("source_rollups", TAKEN)
        elif status == "limit_exceeded":
            self.count("source_rollups" if made >= most else "rollups", REFUSED)

    def buckets(self, status: str) -> None:
        """Of an AGGREGATE, which has no other limit that this status tells of."""
        if status == "limit_exceeded":
            self.count("aggregate_buckets", REFUSED)

    def ended(self, connection: Connection, authenticated: bool, failures: int) -> None:
        """What the times of a connection of taud's show."""
        self._authentication(connection, authenticated, failures)
        self._drain(connection)

    def _authentication(self, connection: Connection, authenticated: bool, failures: int) -> None:
        most = self.values.get("authentication_ms", 0)
        if authenticated:
            if (failures == 0 and connection.first_ns is not None
                    and (connection.first_ns - connection.began_ns) / 1e6 >= most * _NEAR):
                self.count("authentication_ms", KEPT)
            return
        ended = connection.shut_ns or connection.closed_ns
        if ended is None or connection.sent or connection.end_ns is not None:
            return
        if most <= (ended - connection.began_ns) / 1e6 <= most + _SLACK_MS:
            self.count("authentication_ms", CLOSED)

    def _drain(self, connection: Connection) -> None:
        most = self.values.get("closing_drain_ms", 0)
        if connection.shut_ns is None or connection.closed_ns is None:
            return
        if connection.late_bytes:
            self.count("closing_drain_ms", KEPT)
        took_ms = (connection.closed_ns - connection.shut_ns) / 1e6
        if connection.end_ns is None and most <= took_ms <= most + _SLACK_MS:
            self.count("closing_drain_ms", CLOSED)
