/* SPDX-License-Identifier: MIT */
/*
 * Sockets that never block and never raise a signal. This and the faces are the only places of the
 * library that make system calls.
 */
#ifndef TAU_SOCKET_H
#define TAU_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <tau/error.h>

#include "address.h"
#include "wire/slice.h"

/* The addresses of one host that are tried, in the order in which the resolver gives them. */
#define TAU_SOCKET_CANDIDATES 8

/* The most slices that one call sends. */
#define TAU_SOCKET_SLICES 64

struct tau_candidates {
    struct sockaddr_storage addresses[TAU_SOCKET_CANDIDATES];
    socklen_t sizes[TAU_SOCKET_CANDIDATES];
    size_t count;
};

/* How a call that does not wait has ended. */
enum tau_progress {
    TAU_PROGRESS_DONE,  /* as far as the count says */
    TAU_PROGRESS_WAIT,  /* not now */
    TAU_PROGRESS_END,   /* the peer has closed */
    TAU_PROGRESS_FAILED /* errno tells */
};

/* Numbers are read as they are; a name asks the resolver, which blocks. Returns success or
   connection_failed. */
enum tau_status tau_socket_resolve(const struct tau_address *address,
                                   struct tau_candidates *ret_candidates, struct tau_error *error);

/* Makes a socket and begins to connect it: DONE or WAIT with a descriptor, or FAILED. */
enum tau_progress tau_socket_open(const struct tau_candidates *candidates, size_t which,
                                  uint32_t user_timeout_ms, int *ret_fd);

/* Whether a connection that was begun is there: DONE, WAIT or FAILED. */
enum tau_progress tau_socket_opened(int fd);

enum tau_progress tau_socket_receive(int fd, uint8_t *room, size_t capacity, size_t *ret_size);

enum tau_progress tau_socket_send(int fd, const struct tau_slice *slices, size_t count,
                                  size_t *ret_size);

void tau_socket_close(int fd);

/* Monotonic time: exact, and cheap but behind: by a tick of the kernel, some milliseconds, and in a
   virtual machine that is short of processors by many of them. */
int64_t tau_clock_now_ns(void);
int64_t tau_clock_coarse_ns(void);

#endif
