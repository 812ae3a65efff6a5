// SPDX-License-Identifier: MIT
// A worker: a thread with an event loop and the connections that it was given. What connections of
// a worker share is here: buffers, the transport, the deadlines, and the commit at the end of a
// turn.
//
// Locks, in the order in which they may be taken (none of them is held across a call of a handler):
//   mailbox (transport/mailbox.c)   by any thread that posts, and by the worker that collects
//   penalties (transport/penalty.c) by workers, on a wrong certificate
//   log (observe/log.c)             by any thread; innermost
// The engine's locks are taken and released within its calls, and its durable callback holds none.
#ifndef TAUD_NET_WORKER_H
#define TAUD_NET_WORKER_H

#include "engine/engine.h"
#include "net/busy_poll.h"
#include "net/connection_manager.h"
#include "observe/log.h"
#include "transport/session.h"

#include <pthread.h>

enum {
    // A partial frame up to this size is copied in front of what is read next; a larger one gets a
    // buffer of its own, into which the socket is read.
    TAUD_READ_HEADROOM = 16 * 1024,
    TAUD_READ_BYTES = 512 * 1024,
};

struct taud_worker_options {
    uint32_t index;
    struct taud_engine *engine;
    struct taud_budget *budget;
    struct taud_penalties *penalties;
    struct taud_log *log;
    uint64_t idle_timeout_ms;
    uint64_t frame_timeout_ms;
    bool always_commit_inline; // where a commit does not wait for a disk
    bool busy_poll;            // look out for requests before it sleeps, see busy_poll.h
};

struct taud_worker {
    struct taud_worker_options options;
    struct taud_transport transport;
    struct taud_log_watch log_watch;
    struct taud_connection_manager connections;
    struct taud_mailbox *mailbox;
    struct taud_statistics statistics;
    struct taud_wheel wheel;
    struct taud_busy_poll busy_poll;
    struct taud_link waiting; // connections with output or requests that wait for the log
    struct taud_link ready;   // connections to be resumed in the next turn
    struct event_base *base;
    struct event *wake_event;
    struct event *timer_event;
    int wake_file;        // an eventfd
    uint8_t *read_buffer; // TAUD_READ_HEADROOM + TAUD_READ_BYTES
    uint64_t now_ms;
    uint64_t timer_ms; // when the timer will fire; UINT64_MAX: it is not set
    uint64_t next_identity;
    uint64_t stop_by_ms;       // when what is left is closed; 0: not stopping
    uint64_t written;          // the highest log position of this worker's writes
    uint64_t committing;       // up to where a commit was asked for
    uint64_t awaited;          // the lowest log position that one of `waiting` needs, see announced
    uint64_t group_requests;   // the count of requests at the last commit
    uint64_t group_input;      // and of bytes that were read
    uint64_t polled_requests;  // the count of requests then
    uint64_t polled_input;     // and of bytes that were read
    uint32_t connection_turns; // of all connections, ever
    uint32_t polled_turns;     // what these were when it last might have looked out for more
    uint32_t group_writers;    // connections that wrote since the last commit
    uint32_t last_writers;     // and in the commit before
    uint32_t inline_pause;     // commits to leave to the engine's thread, since one here was slow
    bool now_valid;
    bool log_was_full;
    bool thread_started;
    pthread_t thread;
    pthread_t self; // as the thread itself sees it
    struct taud_message stop_message;
    // The log position that must be durable before a wake-up makes sense; 0: wherever it moves to.
    _Alignas(64) _Atomic uint64_t announced;
    _Atomic bool woken;                // it has been woken and did not look yet
    _Atomic uint32_t connection_count; // raised by who hands a connection over
};

// A new connection on its way to its worker.
struct taud_adopt_message {
    struct taud_message message; // first
    int file;
    bool refuse;
    struct taud_penalty_key address;
};

// Memory, descriptors and the event loop; no thread. Returns false when something is missing.
__attribute__((warn_unused_result)) bool
taud_worker_init(struct taud_worker *worker, const struct taud_worker_options *options);

// Starts the thread. Returns false and sets errno when there cannot be one.
__attribute__((warn_unused_result)) bool
taud_worker_startup(struct taud_worker *worker, const struct tau_certificate *certificate);

// Asks the worker to finish what was read, and to end. Any thread, once until it is joined; where
// there is no thread, nothing happens.
void taud_worker_stop(struct taud_worker *worker);

// Waits for its end.
void taud_worker_join(struct taud_worker *worker);

void taud_worker_done(struct taud_worker *worker);

// Hands a socket over; it belongs to the worker then. Returns false without memory. Any thread.
__attribute__((warn_unused_result)) bool taud_worker_adopt(struct taud_worker *worker, int file,
                                                           const struct taud_penalty_key *address,
                                                           bool refuse);

// --- for connections -----------------------------------------------------------------------------

// The time of this turn.
uint64_t taud_worker_now(struct taud_worker *worker);

// Takes back the place of a connection that was closed.
void taud_worker_closed(struct taud_worker *worker, struct taud_connection *connection);

// Puts a connection into the list of those that wait for the log: for this position of it, or with
// 0 for any change.
void taud_worker_await(struct taud_worker *worker, struct taud_link *link, uint64_t position);

// Says that a connection wrote up to this position of the log.
void taud_worker_wrote(struct taud_worker *worker, uint64_t position);

#endif
