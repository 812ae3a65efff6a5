// SPDX-License-Identifier: MIT
// What session.c and handshake.c share and nobody else needs.
#ifndef TAUD_TRANSPORT_SESSION_INTERNAL_H
#define TAUD_TRANSPORT_SESSION_INTERNAL_H

#include "transport/session.h"

#include "tau_session.h"

// Executes a whole frame of an operation that belongs to the transport.
void taud_session_operation(struct taud_session *session, struct taud_transport *transport,
                            uint8_t opcode, struct tau_slice payload);

// Ends all reads that were begun and are not finished, with `cancelled`.
void taud_session_cancel(struct taud_session *session, struct taud_transport *transport);

// Gives the answer to a wrong certificate, when its delay is over.
void taud_session_end_penalty(struct taud_session *session, struct taud_transport *transport);

static inline bool taud_session_closed(const struct taud_session *session)
{
    return session->state == TAU_SESSION_CLOSED;
}

#endif
