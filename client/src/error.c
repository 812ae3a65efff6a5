/* SPDX-License-Identifier: MIT */
/*
 * Error objects and the predicates over statuses. The classes come from the specification.
 */
#include <tau/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "wire/utf8.h"

bool tau_status_is_retryable(enum tau_status status)
{
    return tau_status_class_of(status) == TAU_STATUS_CLASS_RETRY;
}

bool tau_status_is_fatal(enum tau_status status)
{
    return tau_status_class_of(status) == TAU_STATUS_CLASS_FATAL;
}

bool tau_status_is_outcome_unknown(enum tau_status status)
{
    return tau_status_class_of(status) == TAU_STATUS_CLASS_UNKNOWN;
}

/* The message is left to the caller: it need not be cleared to its end. */
static void set_fields(struct tau_error *error, enum tau_status status, int system_error)
{
    error->status = status;
    error->system_error = system_error;
    error->field = TAU_FIELD_NONE;
    error->offset = 0;
}

enum tau_status tau_fault_status(struct tau_error *error, enum tau_status status)
{
    if (error != NULL) {
        set_fields(error, status, 0);
        snprintf(error->message, sizeof(error->message), "%s", tau_status_text(status));
    }
    return status;
}

enum tau_status tau_fault(struct tau_error *error, enum tau_status status, int system_error,
                          const char *format, ...)
{
    if (error == NULL)
        return status;
    set_fields(error, status, system_error);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    if (system_error == 0 || length < 0 || (size_t)length >= sizeof(error->message))
        return status;
    char text[128];
    snprintf(error->message + length, sizeof(error->message) - (size_t)length, ": %s",
             strerror_r(system_error, text, sizeof(text)));
    return status;
}

void tau_fault_quote(struct tau_error *error, struct tau_slice text)
{
    size_t length = 0;
    for (size_t i = 0; i < text.size;) {
        size_t shown = tau_utf8_printable(text.data + i, text.size - i);
        char escape[5];
        snprintf(escape, sizeof(escape), "\\x%02X", text.data[i]);
        const void *piece = shown > 0 ? (const void *)(text.data + i) : escape;
        size_t size = shown > 0 ? shown : 4;
        if (length + size >= sizeof(error->message))
            break;
        memcpy(error->message + length, piece, size);
        length += size;
        i += shown > 0 ? shown : 1;
    }
    error->message[length] = '\0';
}

void tau_fault_copy(struct tau_error *error, const struct tau_error *from)
{
    if (error != NULL && from != NULL)
        *error = *from;
}
