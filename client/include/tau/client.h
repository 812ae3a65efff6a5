/* SPDX-License-Identifier: MIT */
/*
 * libtauclient: the client library of Tau. This header brings all of it but the adapters for event
 * loops, and declares the blocking client. The typed calls, one for each operation of the protocol,
 * are in <tau/operations.h>.
 *
 *     struct tau_options options;
 *     struct tau_client *client;
 *     struct tau_error error;
 *     tau_options_init(&options);
 *     if (tau_client_new(&options, &client, &error) != TAU_STATUS_SUCCESS)
 *         fprintf(stderr, "%s\n", error.message);
 *
 * The library starts no threads, prints nothing, handles no signals and keeps no global state.
 */
#ifndef TAU_CLIENT_H
#define TAU_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/async.h>
#include <tau/batcher.h>
#include <tau/error.h>
#include <tau/export.h>
#include <tau/label.h>
#include <tau/operations.h>
#include <tau/options.h>
#include <tau/protocol.h>
#include <tau/raw.h>

TAU_BEGIN_DECLARATIONS

struct tau_client;

/**
 * Makes a client and connects: reaches the server, authenticates, negotiates.
 *
 * Ownership: `*ret_client` is the caller's, to be freed with tau_client_free. `error` may be NULL.
 * Returns: success; invalid_argument; no_memory; connection_failed; connection_lost; timeout;
 * auth_failed; protocol_error; any status with which the server refuses the session.
 * Thread: any; a client is used by one thread at a time. Blocks: for at most
 * options->connect_timeout_ms, and while a host's name is resolved. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_client_new(const struct tau_options *options,
                                                    struct tau_client **ret_client,
                                                    struct tau_error *error);

/**
 * Closes the connection and frees the client. NULL is allowed.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API void tau_client_free(struct tau_client *client);

/**
 * Connects again after the connection was lost; does nothing while there is one. With
 * options->reconnect every call does this by itself.
 *
 * Returns: as tau_client_new.
 * Thread: the client's. Blocks: for at most options->connect_timeout_ms. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_client_connect(struct tau_client *client,
                                                        struct tau_error *error);

/**
 * The asynchronous face of a blocking client, to send many requests before taking the answers:
 * make requests on it with the typed calls of struct tau_async, then tau_client_wait. The blocking
 * calls may be mixed in; each waits for its own answer. It is not to be given to an event loop.
 *
 * Ownership: the client's, valid until it is freed.
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API struct tau_async *tau_client_pipeline(struct tau_client *client);

/**
 * Waits until at most `max_outstanding` requests of the pipeline are unanswered; their callbacks
 * are called from here. Every request has its own deadline, so with timeouts set this ends too.
 *
 * Returns: success, also when requests failed: their callbacks say so; invalid_argument when it is
 * called in a callback.
 * Thread: the client's. Blocks: yes. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_client_wait(struct tau_client *client,
                                                     size_t max_outstanding);

/**
 * Sets the timeout of the calls that follow; 0 for none.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API void tau_client_set_timeout_ms(struct tau_client *client, uint32_t timeout_ms);

/**
 * Tells whether the server offers an operation.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API bool tau_client_supports(const struct tau_client *client, enum tau_opcode opcode);

/**
 * What is known of the server.
 *
 * Ownership: the client's, valid until it is freed; it changes when the client reconnects.
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API const struct tau_server_info *tau_client_server(const struct tau_client *client);

/**
 * The version of the library at run time, for example "1.0.0".
 *
 * Thread: any. Blocks: no. Since: 1.0.
 */
TAU_API const char *tau_client_version(void);

TAU_END_DECLARATIONS

#endif
