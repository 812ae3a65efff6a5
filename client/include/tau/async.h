/* SPDX-License-Identifier: MIT */
/*
 * The asynchronous client: it plugs into any event loop. The loop watches one descriptor for the
 * wanted events, waits no longer than the timeout, and calls tau_async_on_ready. Requests are made
 * with the typed calls of <tau/operations.h> and complete through callbacks, exactly once each.
 *
 *     requests ---> [ output ] ---> writev   \
 *                                             > one descriptor, never blocking
 *     callbacks <-- [ pending ] <-- recv     /
 *
 * Replies come in the order of the requests; a timed-out request completes earlier, and its late
 * reply is dropped. No call blocks (but the resolving of a host's name), and none starts a thread.
 * <tau/libevent.h> and <tau/poll.h> are ready-made loops.
 */
#ifndef TAU_ASYNC_H
#define TAU_ASYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/error.h>
#include <tau/export.h>
#include <tau/options.h>
#include <tau/protocol.h>

TAU_BEGIN_DECLARATIONS

struct tau_async;

/** The events that an asynchronous client waits for. */
enum tau_event { TAU_EVENT_READ = 1, TAU_EVENT_WRITE = 2 };

/**
 * Makes an asynchronous client and begins to connect.
 *
 * Requests may be made at once: they wait until the session is ready. When the server cannot be
 * reached they complete with connection_failed, or go on waiting when options->reconnect is set.
 *
 * Ownership: `*ret_async` is the caller's, to be freed with tau_async_free.
 * Returns: success; invalid_argument (a bad address or option); no_memory.
 * Thread: any; a client is used by one thread at a time. Blocks: only while a host's name is
 * resolved. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_async_new(const struct tau_options *options,
                                                   struct tau_async **ret_async,
                                                   struct tau_error *error);

/**
 * Closes the connection and frees the client.
 *
 * Requests that are outstanding complete now: writes that may have been sent with outcome_unknown,
 * the others with connection_lost. May be called in a callback. NULL is allowed. A batcher of this
 * client is freed before it.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API void tau_async_free(struct tau_async *async);

/**
 * The descriptor to watch, or -1 while there is none. It changes when the client reconnects;
 * between two descriptors it is -1 for a turn of the loop, even if the system gives the same number
 * again.
 *
 * Ownership: the client's; it is not to be closed, read or written.
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API int tau_async_fd(const struct tau_async *async);

/**
 * The events to watch for, a set of enum tau_event.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API unsigned tau_async_wanted(const struct tau_async *async);

/**
 * Milliseconds until tau_async_on_ready is to be called even if nothing happens on the descriptor;
 * -1 for never, 0 for now.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API int tau_async_timeout_ms(const struct tau_async *async);

/**
 * Does what can be done: connects, receives, completes requests, sends, expires deadlines.
 *
 * `events` is the set of enum tau_event that the loop saw; 0 when only the timeout passed.
 * Callbacks are called from here. To call it without need does no harm.
 *
 * Thread: the client's. Blocks: only while a host's name is resolved. Since: 1.0.
 */
TAU_API void tau_async_on_ready(struct tau_async *async, unsigned events);

/** Called when descriptor, wanted events or timeout may have changed outside tau_async_on_ready. */
typedef void tau_async_changed_callback(void *user_data);

/**
 * Sets whom to tell that the loop must look again; an adapter's part. NULL for nobody.
 *
 * The callback is to note the change and return: it must not call tau_async_on_ready.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API void tau_async_set_changed(struct tau_async *async, tau_async_changed_callback *changed,
                                   void *user_data);

/**
 * Sends what waits, as far as the socket takes it, without waiting for the loop.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API void tau_async_flush(struct tau_async *async);

/**
 * Cancels the reads that were sent on this connection and have not finished.
 *
 * Cancelling is a matter of the connection: each of them completes, in its turn, with `cancelled`
 * or with the answer that was already on its way. Writes are not touched.
 *
 * Returns: success; not_supported; would_block; no_memory.
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_async_cancel(struct tau_async *async);

/**
 * Sets the timeout of the requests that follow; 0 for none.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API void tau_async_set_timeout_ms(struct tau_async *async, uint32_t timeout_ms);

/**
 * The number of requests that have not completed.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API size_t tau_async_outstanding(const struct tau_async *async);

/**
 * The state of the connection.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API enum tau_link_state tau_async_link(const struct tau_async *async);

/**
 * Makes a new connection if there is none: after a loss without options->reconnect, or to cut a
 * pause short.
 *
 * Thread: the client's. Blocks: only while a host's name is resolved. Since: 1.0.
 */
TAU_API void tau_async_connect(struct tau_async *async);

/**
 * Tells whether the server offers an operation. Known while the connection is ready.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API bool tau_async_supports(const struct tau_async *async, enum tau_opcode opcode);

/**
 * What is known of the server.
 *
 * Ownership: the client's, valid until it is freed; it changes when the client reconnects.
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API const struct tau_server_info *tau_async_server(const struct tau_async *async);

TAU_END_DECLARATIONS

#endif
