/* SPDX-License-Identifier: MIT */
/*
 * What a client is made of: the server's address, the certificate, timeouts, limits, the policy of
 * reconnecting, and the allocator. Blocking and asynchronous clients take the same options.
 */
#ifndef TAU_OPTIONS_H
#define TAU_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/error.h>
#include <tau/export.h>
#include <tau/protocol.h>

TAU_BEGIN_DECLARATIONS

/**
 * Where memory comes from. Both functions are called on the thread that uses the client. `allocate`
 * may return NULL: the call that needed the memory then reports no_memory and changes nothing.
 * `release` is given the size that was asked for.
 */
struct tau_allocator {
    void *(*allocate)(void *user_data, size_t size);
    void (*release)(void *user_data, void *memory, size_t size);
    void *user_data;
};

/** The life of a client's connection. */
enum tau_link_state {
    TAU_LINK_CLOSED = 0,     /* no connection, and none is being made */
    TAU_LINK_CONNECTING = 1, /* reaching the server, authenticating, negotiating */
    TAU_LINK_READY = 2,      /* requests are being sent */
    TAU_LINK_WAITING = 3     /* the connection was lost; the next try comes after a pause */
};

/**
 * Called when the connection's state has changed. `error` tells why it was lost, else it is NULL;
 * it is borrowed for the call. Requests may be made in it; the client may be freed in it.
 */
typedef void tau_link_callback(void *user_data, enum tau_link_state state,
                               const struct tau_error *error);

/** Which way a frame goes. */
enum tau_trace_direction {
    TAU_TRACE_SENT = 0,
    TAU_TRACE_RECEIVED = 1
};

/**
 * Called with every whole frame, header included, that goes over the connection: with one that is
 * sent when its first byte has been handed to the system, with one that came before it is acted
 * upon. The certificate in CONNECT is among the bytes; whoever prints frames leaves it out. Frames
 * that the server sends unasked and that this client passes over are not told, nor what is no
 * frame.
 *
 * Ownership: `frame` is borrowed for the call. Thread: the one that uses the client. The client
 * must be neither used nor freed in it. Since: 1.0.
 */
typedef void tau_trace_callback(void *user_data, enum tau_trace_direction direction,
                                struct tau_slice frame);

/**
 * The options of a client. Always made by tau_options_init, which sets `size` and the defaults, so
 * that a program that was compiled with an older header goes on working.
 */
struct tau_options {
    size_t size;                        /* set by tau_options_init */
    const char *address;                /* HOST:PORT, [IPV6]:PORT or unix:PATH; the port may be left
                                           out; NULL for 127.0.0.1:7701. A name is resolved by
                                           getaddrinfo, which blocks; numbers never block. */
    struct tau_certificate certificate; /* the server's pre-shared key */
    const char *client_name;     /* told to the server, at most 64 bytes; NULL for the SDK's */
    uint32_t connect_timeout_ms; /* to connect, authenticate and negotiate; 0 for no limit */
    uint32_t request_timeout_ms; /* for each request, from the loop's next turn on; for a stream
                                    from frame to frame; 0 for no limit */
    bool negotiate;              /* false: only the operations of version 1's first day */
    bool reconnect;              /* after a lost connection make a new one; a request that may
                                    have been sent is never repeated */
    uint32_t reconnect_first_ms; /* the pause before the second try; doubled with each */
    uint32_t reconnect_max_ms;   /* the longest pause */
    size_t max_outstanding;      /* requests without an answer; more get would_block */
    size_t max_output_bytes;     /* bytes that wait to be sent; more get would_block */
    const struct tau_allocator *allocator; /* NULL for malloc; copied */
    tau_link_callback *on_link;            /* NULL for none */
    void *link_user_data;
    bool announce_layouts; /* tell the server how our operations are laid out, so that it refuses
                              what differs; false for a client whose requests of operations that
                              differ are raw, laid out as the server's */
    tau_trace_callback *on_trace; /* NULL for none */
    void *trace_user_data;
};

/** Fills options of a given size with defaults. Call tau_options_init instead. Since: 1.0. */
TAU_API void tau_options_init_sized(struct tau_options *options, size_t size);

/**
 * Fills options with the defaults.
 *
 * Defaults: 127.0.0.1:7701, an all-zero certificate, 5,000 ms to connect, 30,000 ms for a request,
 * negotiation on, reconnecting off (pauses from 100 to 10,000 ms when it is on), 65,536 requests
 * outstanding, 16 MiB of output, malloc.
 *
 * Ownership: strings and the allocator are borrowed until the client has been made, and copied
 * then. Thread: any. Blocks: no. Since: 1.0.
 */
static inline void tau_options_init(struct tau_options *options)
{
    tau_options_init_sized(options, sizeof(*options));
}

/** What is known of the server since the last handshake. */
struct tau_server_info {
    bool negotiated;        /* false: a server of version 1's first day */
    uint64_t features;      /* TAU_FEATURE_... bits that hold */
    uint64_t specification; /* fingerprint of the server's whole specification */
    char name[65];          /* "taud 1.0", or empty */
};

TAU_END_DECLARATIONS

#endif
