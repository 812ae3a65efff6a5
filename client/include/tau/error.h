/* SPDX-License-Identifier: MIT */
/*
 * The error object that a caller may hand to a call, and what a status means for the caller.
 * Names and words of each status are in <tau/protocol.h>: tau_status_name, tau_status_text.
 */
#ifndef TAU_ERROR_H
#define TAU_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <tau/export.h>
#include <tau/protocol.h>

TAU_BEGIN_DECLARATIONS

/** The room for an error's words: the longest text of a server, and some of our own. */
#define TAU_ERROR_MESSAGE_SIZE 576

/**
 * What went wrong, in full. Owned by the caller; filled by a call that fails, left alone by one
 * that succeeds. It holds no pointers and may be copied.
 */
struct tau_error {
    enum tau_status status;               /* as the call returned it */
    int system_error;                     /* errno of the system call that failed, or 0 */
    uint16_t field;                       /* request field at fault, from 0, or TAU_FIELD_NONE */
    uint32_t offset;                      /* byte of the request's payload at fault, or 0 */
    char message[TAU_ERROR_MESSAGE_SIZE]; /* the error in words, printable UTF-8, ends in a 0 */
};

/**
 * Tells whether the same request may succeed later.
 *
 * True for the class `retry`: the request did not happen, and nothing about it is wrong. Never true
 * for a write whose outcome is unknown: to send such a write again is the caller's decision.
 *
 * Thread: any. Blocks: no. Since: 1.0.
 */
TAU_API bool tau_status_is_retryable(enum tau_status status);

/**
 * Tells whether neither this connection nor another try will do the request.
 *
 * True for the class `fatal`.
 *
 * Thread: any. Blocks: no. Since: 1.0.
 */
TAU_API bool tau_status_is_fatal(enum tau_status status);

/**
 * Tells whether a write may or may not have happened.
 *
 * Thread: any. Blocks: no. Since: 1.0.
 */
TAU_API bool tau_status_is_outcome_unknown(enum tau_status status);

TAU_END_DECLARATIONS

#endif
