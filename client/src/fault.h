/* SPDX-License-Identifier: MIT */
/*
 * Filling the caller's error object. Every place in the library that fails says so through here, so
 * that status, errno and words always belong together.
 */
#ifndef TAU_FAULT_H
#define TAU_FAULT_H

#include <tau/error.h>

/* Sets status and the status' own words. `error` may be NULL. Returns the status. */
enum tau_status tau_fault_status(struct tau_error *error, enum tau_status status);

/* Sets status, errno (or 0) and words; with an errno its text is appended. Returns the status. */
enum tau_status tau_fault(struct tau_error *error, enum tau_status status, int system_error,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Replaces the words by those of a server; what a terminal may not be given is written `\xHH`. */
void tau_fault_quote(struct tau_error *error, struct tau_slice text);

/* Copies an error; either may be NULL. */
void tau_fault_copy(struct tau_error *error, const struct tau_error *from);

#endif
