/* SPDX-License-Identifier: MIT */
/*
 * The inside of an asynchronous client, for the blocking client and the batching writer that are
 * built upon it.
 */
#ifndef TAU_ASYNC_PARTS_H
#define TAU_ASYNC_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/async.h>

#include "core.h"
#include "settings.h"
#include "socket.h"

/* Something that is to be called at a time; one of a list of the client's. */
struct tau_timer {
    struct tau_timer *next;
    int64_t deadline_ns; /* TAU_NEVER while it is off */
    void (*expire)(struct tau_timer *timer, int64_t now_ns);
};

struct tau_raw_call;

struct tau_async {
    struct tau_core core;
    struct tau_settings settings;
    struct tau_candidates candidates;
    size_t candidate;      /* the one that is being tried */
    int candidate_failure; /* errno of the last one that failed */
    int64_t candidate_deadline_ns;
    int fd;              /* -1 while there is none */
    bool write_blocked;  /* the socket took no more */
    bool single_receive; /* of a blocking client: a reply is borrowed until the next receive,
                            so a call with TAU_EVENT_READ receives once and sends nothing */
    bool doomed;         /* freed in a callback; the outermost call frees */
    unsigned entered;    /* calls that are under way and may call back */
    uint32_t request_timeout_ms;  /* for the requests that follow */
    int64_t received_at_ns;       /* when the server was last heard */
    enum tau_link_state reported; /* to on_link */
    unsigned announced_wanted;    /* what the loop was last told */
    int64_t announced_deadline_ns;
    tau_async_changed_callback *changed;
    void *changed_user_data;
    struct tau_timer *timers;
    struct tau_raw_call *raw_calls; /* one for each operation that was asked for raw */
};

/* Frees the descriptions of raw requests; none is outstanding any more. */
void tau_async_free_raw_calls(struct tau_async *async);

void tau_async_add_timer(struct tau_async *async, struct tau_timer *timer);
void tau_async_remove_timer(struct tau_async *async, struct tau_timer *timer);

/* The loop is told when it must look again; after a request or a timer was added. */
void tau_async_announce(struct tau_async *async);

/* Brackets around what may call back. The client may be gone after the last leave. */
void tau_async_enter(struct tau_async *async);
void tau_async_leave(struct tau_async *async);

/* Whether a callback of this client is running, or may be. */
static inline bool tau_async_is_entered(const struct tau_async *async)
{
    return async->entered > 0;
}

#endif
