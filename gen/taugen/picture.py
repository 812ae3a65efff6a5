# SPDX-License-Identifier: MIT
"""Draws the states of a session: as SVG, as Graphviz text and as Mermaid.

The SVG is laid out here, so that it does not depend on a drawing tool's version: states in a
column, transitions to another state as arcs on the right, those that stay as loops on the left.
"""

from __future__ import annotations

from html import escape

from .model import Model, State

_WIDTH, _HEIGHT, _STEP, _LEFT, _TOP = 170, 46, 150, 230, 30


def grouped(model: Model) -> list[tuple[str, str, str]]:
    """Transitions with the same ends as one: source, target, events."""
    found: dict[tuple[str, str], list[str]] = {}
    for t in model.transitions:
        found.setdefault((t.source, t.target), []).append(t.event.text)
    return [(s, t, ", ".join(events)) for (s, t), events in found.items()]


def dot(model: Model) -> str:
    lines = ["digraph session {", "    rankdir = TB;", '    node [shape = box, style = rounded];']
    for state in model.states:
        more = ", peripheries = 2" if state.final else ""
        lines.append(f'    {state.name} [label = "{state.name}"{more}];')
    lines += ["    start [shape = point];"]
    lines += [f"    start -> {s.name};" for s in model.states if s.initial]
    for source, target, events in grouped(model):
        label = events.replace(", ", "\\n")
        lines.append(f'    {source} -> {target} [label = "{label}"];')
    return "\n".join(lines + ["}"]) + "\n"


def mermaid(model: Model) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {s.name}" for s in model.states if s.initial]
    lines += [f"    {s} --> {t} : {e}" for s, t, e in grouped(model)]
    lines += [f"    {s.name} --> [*]" for s in model.states if s.final]
    return "\n".join(lines + ["```"]) + "\n"


def _text(x: int, y: int, words: str, anchor: str, css: str = "") -> str:
    style = f' class="{css}"' if css else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{style}>{escape(words)}</text>'


def _box(state: State, y: int) -> list[str]:
    lines = [f'<rect x="{_LEFT}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="10"/>']
    if state.final:
        inner = f'x="{_LEFT + 4}" y="{y + 4}" width="{_WIDTH - 8}" height="{_HEIGHT - 8}" rx="7"'
        lines.append(f"<rect {inner}/>")
    lines.append(_text(_LEFT + _WIDTH // 2, y + _HEIGHT // 2 + 5, state.name, "middle", "state"))
    return lines


def _words(x: int, y: int, events: list[str], anchor: str) -> list[str]:
    first = y - 8 * (len(events) - 1) + 4
    return [_text(x, first + 16 * i, e, anchor) for i, e in enumerate(events)]


def svg(model: Model) -> str:
    rows = {s.name: _TOP + i * _STEP for i, s in enumerate(model.states)}
    order = {s.name: i for i, s in enumerate(model.states)}
    right = _LEFT + _WIDTH
    lines: list[str] = []
    for state in model.states:
        lines += _box(state, rows[state.name])
        if state.initial:
            y = rows[state.name]
            middle = _LEFT + _WIDTH // 2
            lines.append(f'<path d="M {middle} {y - 26} v 24" marker-end="url(#tip)"/>')
    for source, target, joined in grouped(model):
        events = joined.split(", ")
        y1, y2 = rows[source] + _HEIGHT // 2, rows[target] + _HEIGHT // 2
        span = order[target] - order[source]
        if span == 0:
            curve = f"M {_LEFT} {y1 - 10} c -70 -24 -70 44 -2 20"
            lines += _words(_LEFT - 60, y1, events, "end")
        elif span == 1:
            middle = _LEFT + _WIDTH // 2
            curve = f"M {middle} {y1 + _HEIGHT // 2} V {y2 - _HEIGHT // 2 - 2}"
            lines += _words(middle + 10, (y1 + y2) // 2, events, "start")
        else:
            bend = right + 150 * abs(span) // 2
            curve = f"M {right} {y1} C {bend} {y1} {bend} {y2} {right + 2} {y2}"
            lines += _words(right + 118 * abs(span) // 2, (y1 + y2) // 2, events, "start")
        lines.append(f'<path d="{curve}" marker-end="url(#tip)"/>')
    height = _TOP + (len(model.states) - 1) * _STEP + _HEIGHT + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {height}" width="700" '
        f'height="{height}">\n<title>The states of a session</title>\n<style>'
        "rect, path { fill: none; stroke: #345; stroke-width: 1.5 } "
        "text { font: 13px sans-serif; fill: #123 } .state { font-weight: bold } "
        "#tip path { fill: #345 }</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M 0 0 L 8 4 L 0 8 z"/></marker></defs>\n'
        '<rect width="100%" height="100%" style="fill: #fff; stroke: none"/>\n'
    )
    return head + "\n".join(lines) + "\n</svg>\n"
