// SPDX-License-Identifier: MIT
// Formats one line about a failed start; errno becomes words here and nowhere else in the engine.
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum tau_status taud_error_set(struct taud_error *error, enum tau_status status, int os_error,
                               const char *format, ...)
{
    if (!error)
        return status;
    error->status = status;
    error->os_error = os_error;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (os_error != 0 && length >= 0 && (size_t)length < sizeof error->text) {
        char buffer[128];
        const char *words = strerror_r(os_error, buffer, sizeof buffer);
        snprintf(error->text + length, sizeof error->text - (size_t)length, ": %s", words);
    }
    return status;
}
