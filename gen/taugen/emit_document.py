# SPDX-License-Identifier: MIT
"""The specification that a server serves: taud_specification.c.

The bytes are those of specification.json without the white space between its tokens. They are what
the operation SPECIFICATION answers with, in one frame, so the document may be no longer than that.
"""

from __future__ import annotations

import json

from .ctext import banner
from .emit_specification import specification
from .errors import SpecificationError
from .model import Model

OUTPUTS = ("taud_specification.c",)

_OPERATION = "SPECIFICATION"
_ROW = 20  # bytes on a line: each takes five columns at most


def emit(model: Model) -> dict[str, str]:
    data = document(model)
    rows = (data[start : start + _ROW] for start in range(0, len(data), _ROW))
    text = banner("The specification that this server was compiled from, as it serves it.")
    text += '#include "service/specification.h"\n\nconst uint8_t taud_specification[] = {\n'
    text += "".join("    " + ", ".join(map(str, row)) + ",\n" for row in rows) + "};\n\n"
    text += "const size_t taud_specification_size = sizeof(taud_specification);\n"
    return {"taud_specification.c": text}


def document(model: Model) -> bytes:
    """The whole model as compact JSON; it fits the operation that sends it, if there is one."""
    text = json.dumps(specification(model), ensure_ascii=False, separators=(",", ":"))
    data = text.encode()
    for operation in model.operations:
        most = operation.response.max_size
        if operation.name == _OPERATION and len(data) > most:
            wrong = f"the specification as JSON takes {len(data)} bytes"
            raise SpecificationError(operation.place, wrong, f"at most {most} for {_OPERATION}")
    return data
