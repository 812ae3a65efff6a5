// SPDX-License-Identifier: MIT
// What went wrong in the start of the engine or its backend, for a person to read.
#ifndef TAUD_ENGINE_ERROR_H
#define TAUD_ENGINE_ERROR_H

#include <tau/protocol.h>

struct taud_error {
    enum tau_status status;
    int os_error; // errno, or 0
    char text[512];
};

// Fills `error` (may be NULL) and returns `status`.
enum tau_status taud_error_set(struct taud_error *error, enum tau_status status, int os_error,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
