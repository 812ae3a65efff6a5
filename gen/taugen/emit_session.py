# SPDX-License-Identifier: MIT
"""The order of a session: tau_session.h and the Ragel machine tau_session.rl."""

from __future__ import annotations

from .ctext import aligned, banner, comment
from .model import Model, State

OUTPUTS = ("tau_session.h", "tau_session.rl")


def emit(model: Model) -> dict[str, str]:
    return {"tau_session.h": _header(model), "tau_session.rl": _machine(model)}


def _picture(model: Model) -> str:
    """The machine as lines of text, for the head of the file."""
    rows = [(t.source, t.event.text, t.target) for t in model.transitions]
    left = max(len(r[0]) for r in rows)
    middle = max(len(r[1]) for r in rows)
    lines = [f" *   {s:<{left}} --{e:-<{middle}}--> {t}\n" for s, e, t in rows]
    head = "/* The states and what leads from one to another; every other event changes nothing.\n"
    return head + " *\n" + "".join(lines) + " */\n"


def _header(model: Model) -> str:
    text = banner(
        "Which request is legal in which state of a session, and what moves a session from one "
        "state to another. It knows neither sockets nor payloads."
    )
    text += "#ifndef TAU_SESSION_H\n#define TAU_SESSION_H\n\n#include <tau/protocol.h>\n\n"
    text += _picture(model) + "\nenum tau_session_state {\n"
    for state in model.states:
        text += comment(state.doc, 4) + f"    {state.c_name},\n"
    text += f"}};\n\n#define TAU_SESSION_STATE_COUNT {len(model.states)}\n\n"
    text += "/* What can move a session: an operation and how it ended, or a refused request. */\n"
    text += "enum tau_session_event {\n"
    text += aligned([(f"{e.c_name},", e.text) for e in model.events])
    text += """};

/* Whether a request is legal; if not, the status that answers it and whether that closes. Behind
 * the last word of a session nothing is legal and nothing is answered: the status is success. */
struct tau_session_verdict {
    bool legal;
    bool closes;
    enum tau_status status;
};

extern const bool tau_session_legal[TAU_SESSION_STATE_COUNT][256];
extern const struct tau_session_verdict tau_session_refusals[TAU_SESSION_STATE_COUNT];

static inline struct tau_session_verdict tau_session_check(enum tau_session_state state,
                                                           uint8_t opcode)
{
    if (tau_session_legal[state][opcode])
        return (struct tau_session_verdict){true, false, TAU_STATUS_SUCCESS};
    return tau_session_refusals[state];
}

/* The state of a session behind an event; an event that leads nowhere leaves it where it is. */
enum tau_session_state tau_session_advance(enum tau_session_state state,
                                           enum tau_session_event event);

const char *tau_session_state_name(enum tau_session_state state);

#endif
"""
    return text


def _entry(state: State) -> str:
    """The name of a state in the machine; Ragel keeps `start` and others for itself."""
    return f"in_{state.name}"


def _machine(model: Model) -> str:
    text = banner(
        "The machine over the events of a session. Each call takes one event from one state, so a "
        "session is remembered as its state alone."
    )
    text += '#include "tau_session.h"\n\n%%{\n    machine tau_session;\n'
    text += "    alphtype unsigned char;\n\n"
    for number, event in enumerate(model.events):
        text += f"    {event.name} = {number};\n"
    text += "\n"
    for state in model.states:
        text += f"    action to_{state.name} {{ next = {state.c_name}; }}\n"
    text += "\n"
    for state in model.states:
        ways = [t for t in model.transitions if t.source == state.name]
        body = " |\n".join(f"        {t.event.name} @to_{t.target}" for t in ways)
        text += f"    {_entry(state)} := "
        text += f"(\n{body}\n    );\n" if ways else "zlen;\n"
    text += "}%%\n\n%% write data nofinal noerror;\n\n"
    return text + _tables(model) + _functions(model)


def _tables(model: Model) -> str:
    text = "const bool tau_session_legal[TAU_SESSION_STATE_COUNT][256] = {\n"
    for state in model.states:
        legal = [o for o in model.operations if state.name in o.states]
        if legal:
            text += f"    [{state.c_name}] = {{\n"
            text += "".join(f"        [{o.c_opcode}] = true,\n" for o in legal) + "    },\n"
    text += "};\n\n"
    text += "const struct tau_session_verdict tau_session_refusals[TAU_SESSION_STATE_COUNT] = {\n"
    final = {s.name for s in model.states if s.final}
    for state in model.states:
        ways = [t for t in model.transitions if t.source == state.name]
        closes = state.final or any(t.event.text == "refused" and t.target in final for t in ways)
        status = state.refuses_with.c_name if state.refuses_with else "TAU_STATUS_SUCCESS"
        text += f"    [{state.c_name}] = {{false, {str(closes).lower()}, {status}}},\n"
    return text + "};\n\n"


def _functions(model: Model) -> str:
    entries = "".join(f"        [{s.c_name}] = tau_session_en_{_entry(s)},\n" for s in model.states)
    text = f"""enum tau_session_state tau_session_advance(enum tau_session_state state,
                                           enum tau_session_event event)
{{
    static const int entries[TAU_SESSION_STATE_COUNT] = {{
{entries}    }};
    const unsigned char symbol = (unsigned char)event;
    const unsigned char *p = &symbol;
    const unsigned char *pe = p + 1;
    enum tau_session_state next = state;
    int cs = entries[state];

    %% write exec;

    return next;
}}

const char *tau_session_state_name(enum tau_session_state state)
{{
    switch (state) {{
"""
    for state in model.states:
        text += f'    case {state.c_name}:\n        return "{state.name}";\n'
    return text + '    }\n    return "unknown";\n}\n'
