# SPDX-License-Identifier: MIT
"""Writes the manual pages and the completions of shells.

What it says stands elsewhere: in the tables of tau-cli and taud, which small programs of the build
print as JSON; in the comments of the public headers; in the published specification. Nothing here
names a command, an option or a function.
"""
