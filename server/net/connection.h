// SPDX-License-Identifier: MIT
// A connection: a socket, a session of the wire format, and the bytes between them. All of it is
// touched by its worker's thread alone. An idle connection owns no buffer: bytes are read into one
// of the worker's, and only what is not consumed in the same turn is kept.
//
//                                 refused, DISCONNECT, stop
//     serving ------------------------------------------------> closing (what is queued goes out)
//        |  reset, deadline                                         |  shutdown(SHUT_WR)
//        v                                                          v
//     closed <------------- end of input, 1 s -------------- draining (what comes is thrown away)
#ifndef TAUD_NET_CONNECTION_H
#define TAUD_NET_CONNECTION_H

#include "net/list.h"
#include "net/timer_wheel.h"
#include "transport/session.h"

#include <event2/event.h>
#include <event2/event_struct.h>

struct taud_worker;

struct taud_connection {
    struct taud_session session; // first: a session is found again from other threads' messages
    struct event event;
    struct taud_worker *worker;
    struct taud_timer timer;
    struct taud_link waiting;          // for the log
    struct taud_link ready;            // has work that no event will announce
    struct taud_connection *next_free; // while the place is free
    uint8_t *input;                    // what was read and not consumed; NULL for nothing
    uint32_t input_size;
    uint32_t input_capacity;
    uint32_t frame_mark; // session.frame_count when the unfinished frame began
    uint64_t accepted_ms;
    uint64_t active_ms;      // when bytes last moved
    uint64_t frame_ms;       // when the unfinished frame began; 0: there is none
    uint64_t stalled_ms;     // since when the client takes no byte of what waits; 0: it does
    uint64_t drain_until_ms; // 0: not draining
    uint64_t retry_ms;       // when to ask again for memory to read into; 0: not waiting for it
    int file;
    short interest;    // EV_READ, EV_WRITE
    bool used : 1;     // the place is taken
    bool ended : 1;    // the client will send nothing more
    bool stopping : 1; // nothing more is read
};

// Begins to serve a socket, which it owns from now on. `refuse` answers too_many_connections.
void taud_connection_start(struct taud_connection *connection, struct taud_worker *worker, int file,
                           uint64_t identity, const struct taud_penalty_key *address, bool refuse);

// Executes and sends what it can. For what other threads or the log have made possible.
void taud_connection_resume(struct taud_connection *connection);

// Takes over a request of this connection that was completed.
void taud_connection_complete(struct taud_connection *connection, struct taud_pending *pending);

// Sends what the log has made durable, and goes on where that was in the way.
void taud_connection_released(struct taud_connection *connection);

// Looks at its deadlines.
void taud_connection_expire(struct taud_connection *connection);

// Finishes what was read, sends it, and closes.
void taud_connection_stop(struct taud_connection *connection);

// Closes at once and gives the place back.
void taud_connection_close(struct taud_connection *connection);

#endif
