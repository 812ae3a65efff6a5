/* SPDX-License-Identifier: MIT
 *
 * Which request is legal in which state of a session, and what moves a session from one state to
 * another. It knows neither sockets nor payloads.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#ifndef TAU_SESSION_H
#define TAU_SESSION_H

#include <tau/protocol.h>

/* The states and what leads from one to another; every other event changes nothing.
 *
 *   new  --HELLO.ok--> open
 *   new  --refused---> closed
 *   open --refused---> open
 */

enum tau_session_state {
    /* Nobody yet. */
    TAU_SESSION_NEW,
    /* Somebody. */
    TAU_SESSION_OPEN,
    /* The end. */
    TAU_SESSION_CLOSED,
};

#define TAU_SESSION_STATE_COUNT 3

/* What can move a session: an operation and how it ended, or a refused request. */
enum tau_session_event {
    TAU_SESSION_EVENT_HELLO_OK, /* HELLO.ok */
    TAU_SESSION_EVENT_REFUSED,  /* refused */
};

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
