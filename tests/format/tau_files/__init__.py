# SPDX-License-Identifier: MIT
"""Reads a data directory by what server/engine/FORMAT.md says of it: it shares no line with the
server, changes nothing, and takes nothing for granted.

`python3 tests/format/tau_files DIR` lists what a directory holds.
"""
