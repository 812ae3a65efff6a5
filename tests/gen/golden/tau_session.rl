/* SPDX-License-Identifier: MIT
 *
 * The machine over the events of a session. Each call takes one event from one state, so a session
 * is remembered as its state alone.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#include "tau_session.h"

%%{
    machine tau_session;
    alphtype unsigned char;

    hello_ok = 0;
    refused = 1;

    action to_new { next = TAU_SESSION_NEW; }
    action to_open { next = TAU_SESSION_OPEN; }
    action to_closed { next = TAU_SESSION_CLOSED; }

    in_new := (
        hello_ok @to_open |
        refused @to_closed
    );
    in_open := (
        refused @to_open
    );
    in_closed := zlen;
}%%

%% write data nofinal noerror;

const bool tau_session_legal[TAU_SESSION_STATE_COUNT][256] = {
    [TAU_SESSION_NEW] = {
        [TAU_OPCODE_HELLO] = true,
    },
    [TAU_SESSION_OPEN] = {
        [TAU_OPCODE_HELLO] = true,
        [TAU_OPCODE_PUT] = true,
        [TAU_OPCODE_GET] = true,
        [TAU_OPCODE_WALK] = true,
        [TAU_OPCODE_BLEND] = true,
    },
};

const struct tau_session_verdict tau_session_refusals[TAU_SESSION_STATE_COUNT] = {
    [TAU_SESSION_NEW] = {false, true, TAU_STATUS_DENIED},
    [TAU_SESSION_OPEN] = {false, false, TAU_STATUS_BAD_OPCODE},
    [TAU_SESSION_CLOSED] = {false, true, TAU_STATUS_SUCCESS},
};

enum tau_session_state tau_session_advance(enum tau_session_state state,
                                           enum tau_session_event event)
{
    static const int entries[TAU_SESSION_STATE_COUNT] = {
        [TAU_SESSION_NEW] = tau_session_en_in_new,
        [TAU_SESSION_OPEN] = tau_session_en_in_open,
        [TAU_SESSION_CLOSED] = tau_session_en_in_closed,
    };
    const unsigned char symbol = (unsigned char)event;
    const unsigned char *p = &symbol;
    const unsigned char *pe = p + 1;
    enum tau_session_state next = state;
    int cs = entries[state];

    %% write exec;

    return next;
}

const char *tau_session_state_name(enum tau_session_state state)
{
    switch (state) {
    case TAU_SESSION_NEW:
        return "new";
    case TAU_SESSION_OPEN:
        return "open";
    case TAU_SESSION_CLOSED:
        return "closed";
    }
    return "unknown";
}
