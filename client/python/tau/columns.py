# SPDX-License-Identifier: MIT
"""Columns of numbers: between what Python programs hold and the big-endian bytes of the wire.

A column is taken from anything that has the buffer protocol (array.array, memoryview, numpy) or is
iterable, and given as an array.array. Bytes are swapped by array.byteswap or by numpy, never in a
loop of Python. numpy is used where the caller brings it and is never imported for anybody else.
"""

from __future__ import annotations

import sys
from array import array
from typing import Any, Iterable, Optional

_LITTLE = sys.byteorder == "little"
_INTEGERS = "bBhHiIlLqQ"


def pack(code: str, column: Iterable[Any]) -> tuple[int, bytes]:
    """The number of elements and their bytes; `code` is the struct module's for one of them.
    Raises TypeError, ValueError or OverflowError where an element cannot be one."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(column, numpy.ndarray):
        return _pack_numpy(numpy, code, column)
    if isinstance(column, (str, bytes, bytearray)):
        raise TypeError("bytes and text are no columns")
    found: array[Any] = array(code)
    view = _view(column)
    if view is None:
        found.extend(array(code, column))
    elif _same(code, view):
        if not _swapped(view):
            return len(view), view.tobytes()
        found.frombytes(view.tobytes())
        found.byteswap()
        return len(found), found.tobytes()
    else:
        found.extend(array(code, view.tolist()))
    if _LITTLE:
        found.byteswap()
    return len(found), found.tobytes()


def unpack(code: str, data: memoryview) -> "array[Any]":
    """The column that lies in bytes of the wire."""
    found: array[Any] = array(code)
    found.frombytes(data)
    if _LITTLE:
        found.byteswap()
    return found


def as_numpy(column: "array[Any]") -> Any:
    """A numpy array over the memory of a column, without a copy. Raises ImportError where there is
    no numpy."""
    import numpy

    return numpy.frombuffer(column, dtype=column.typecode)


def _view(column: Any) -> Optional[memoryview]:
    try:
        view = memoryview(column)
    except TypeError:
        return None
    if view.ndim != 1:
        raise ValueError("a column has one dimension")
    return view


def _same(code: str, view: memoryview) -> bool:
    """Whether a buffer's elements are those of the wire but for the order of their bytes."""
    letter = view.format.lstrip("@=<>!")
    if view.itemsize != array(code).itemsize:
        return False
    if code in _INTEGERS and letter in _INTEGERS:
        return code.islower() == letter.islower()
    return letter == code


def _swapped(view: memoryview) -> bool:
    """Whether a buffer's bytes are in another order than those of the wire."""
    return view.format[0] == "<" or (view.format[0] not in ">!" and _LITTLE)


def _nanoseconds(numpy: Any, times: Any) -> Any:
    """Points in time as integers. One that is none has no number, nor one that is too far off."""
    if numpy.isnat(times).any():
        raise ValueError("NaT is no timestamp")
    found = times.astype("datetime64[ns]")
    if (found.astype(times.dtype) != times).any():
        raise OverflowError("a time is no whole number of nanoseconds that fits")
    return found.view("i8")


def _pack_numpy(numpy: Any, code: str, column: Any) -> tuple[int, bytes]:
    if column.ndim != 1:
        raise ValueError("a column has one dimension")
    if column.dtype.kind == "M" and code == "q":
        column = _nanoseconds(numpy, column)
    wire = numpy.dtype(code).newbyteorder(">")
    return len(column), column.astype(wire, casting="safe", copy=False).tobytes()
