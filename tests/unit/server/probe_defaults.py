# SPDX-License-Identifier: MIT
"""Writes handlers that fail, for every operation of a specification.

They are weak: the tests' own handlers take their place. An operation that is added to the protocol
needs none here before a test of the transport wants one.

Arguments: the specification's root file, and the C file that is written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from taugen.emit_dispatch import (
    HANDLERS, batch_prototype, is_handled, stream_prototypes, unary_prototype,
)  # fmt: skip
from taugen.load import load
from taugen.model import Operation
from taugen.resolve import resolve

FAILS = "    return TAU_STATUS_INTERNAL_ERROR;\n"
EACH_FAILS = """\
    for (size_t index = 0; index < count; index++)
        ret_statuses[index] = TAU_STATUS_INTERNAL_ERROR;
"""


def heads(operation: Operation) -> str:
    """The prototypes of an operation's handlers."""
    if operation.batched:
        return batch_prototype(operation)
    return stream_prototypes(operation) if operation.is_stream else unary_prototype(operation)


def defaults(operation: Operation) -> str:
    text = ""
    for head in heads(operation).split(";\n")[:-1]:
        body = FAILS if head.startswith("enum") else EACH_FAILS if operation.batched else ""
        text += f"\n__attribute__((weak))\n{head}\n{{\n{body}}}\n"
    return text


def main() -> None:
    model = resolve(load(sys.argv[1]))
    handled = [o for o in model.operations if is_handled(o)]
    text = f'#include "{HANDLERS}"\n' + "".join(map(defaults, handled))
    Path(sys.argv[2]).write_text(text, encoding="utf-8")


main()
