/* SPDX-License-Identifier: MIT */
/*
 * Labels and certificates from text and back. A label is 32 raw bytes; people write it as UTF-8
 * with
 * `\xHH` for every byte that is not printable, and leave out the zero bytes at its end.
 */
#ifndef TAU_LABEL_H
#define TAU_LABEL_H

#include <stddef.h>

#include <tau/error.h>
#include <tau/export.h>
#include <tau/protocol.h>

TAU_BEGIN_DECLARATIONS

/** The room that the text of any label fits in, its zero byte included. */
#define TAU_LABEL_TEXT_SIZE 129

/**
 * Makes a label of text.
 *
 * `\xHH` stands for the byte HH; any other backslash is an error. Text for more than 32 bytes is an
 * error and never cut. What tau_label_to_text writes is read back to the same label.
 *
 * Ownership: `text` is borrowed for the call; it ends in a zero byte.
 * Returns: success; invalid_argument (too long, or a bad escape), `*ret_label` is untouched.
 * Thread: any. Blocks: no. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_label_from_text(const char *text,
                                                         struct tau_label *ret_label);

/**
 * Makes a label of raw bytes, padded with zero bytes; nothing is read as an escape.
 *
 * Returns: success; invalid_argument (`size` is over 32), `*ret_label` is untouched.
 * Thread: any. Blocks: no. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_label_from_bytes(const void *bytes, size_t size,
                                                          struct tau_label *ret_label);

/**
 * Writes a label as text: valid, printable UTF-8 as it is, other bytes and the backslash as `\xHH`,
 * the zero bytes at the end left out.
 *
 * Ownership: `ret_text` has room for TAU_LABEL_TEXT_SIZE bytes; the text ends in a zero byte.
 * Returns: the length of the text.
 * Thread: any. Blocks: no. Since: 1.0.
 */
TAU_API size_t tau_label_to_text(const struct tau_label *label, char ret_text[TAU_LABEL_TEXT_SIZE]);

/**
 * Reads a certificate from 64 hexadecimal characters; white space around them is allowed. `text`
 * may be NULL, as of an environment variable that is not set: that is no certificate.
 *
 * Returns: success; invalid_argument, `*ret_certificate` is untouched.
 * Thread: any. Blocks: no. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status
tau_certificate_from_hex(const char *text, struct tau_certificate *ret_certificate);

TAU_END_DECLARATIONS

#endif
