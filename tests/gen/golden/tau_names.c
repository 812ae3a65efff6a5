/* SPDX-License-Identifier: MIT
 *
 * The names of opcodes, statuses and enumerations, and what statuses mean.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#include <string.h>

#include <tau/protocol.h>

const char *tau_opcode_name(enum tau_opcode value)
{
    switch (value) {
    case TAU_OPCODE_HELLO:
        return "HELLO";
    case TAU_OPCODE_PUT:
        return "PUT";
    case TAU_OPCODE_GET:
        return "GET";
    case TAU_OPCODE_WALK:
        return "WALK";
    case TAU_OPCODE_BLEND:
        return "BLEND";
    case TAU_OPCODE_OK:
        return "OK";
    case TAU_OPCODE_ERR:
        return "ERR";
    }
    return "unknown";
}

bool tau_opcode_from_name(const char *name, enum tau_opcode *ret)
{
    static const enum tau_opcode values[] = {
        TAU_OPCODE_HELLO,
        TAU_OPCODE_PUT,
        TAU_OPCODE_GET,
        TAU_OPCODE_WALK,
        TAU_OPCODE_BLEND,
        TAU_OPCODE_OK,
        TAU_OPCODE_ERR,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(name, tau_opcode_name(values[i])) == 0) {
            *ret = values[i];
            return true;
        }
    }
    return false;
}

const char *tau_status_name(enum tau_status value)
{
    switch (value) {
    case TAU_STATUS_SUCCESS:
        return "success";
    case TAU_STATUS_BAD_FRAME:
        return "bad_frame";
    case TAU_STATUS_BAD_OPCODE:
        return "bad_opcode";
    case TAU_STATUS_DENIED:
        return "denied";
    case TAU_STATUS_INVALID_PAYLOAD:
        return "invalid_payload";
    case TAU_STATUS_UNKNOWN_OUTCOME:
        return "unknown_outcome";
    case TAU_STATUS_TIMEOUT:
        return "timeout";
    }
    return "unknown";
}

bool tau_status_from_name(const char *name, enum tau_status *ret)
{
    static const enum tau_status values[] = {
        TAU_STATUS_SUCCESS,
        TAU_STATUS_BAD_FRAME,
        TAU_STATUS_BAD_OPCODE,
        TAU_STATUS_DENIED,
        TAU_STATUS_INVALID_PAYLOAD,
        TAU_STATUS_UNKNOWN_OUTCOME,
        TAU_STATUS_TIMEOUT,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(name, tau_status_name(values[i])) == 0) {
            *ret = values[i];
            return true;
        }
    }
    return false;
}

const char *tau_colour_name(enum tau_colour value)
{
    switch (value) {
    case TAU_COLOUR_RED:
        return "red";
    case TAU_COLOUR_BLUE:
        return "blue";
    }
    return "unknown";
}

bool tau_colour_from_name(const char *name, enum tau_colour *ret)
{
    static const enum tau_colour values[] = {
        TAU_COLOUR_RED,
        TAU_COLOUR_BLUE,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(name, tau_colour_name(values[i])) == 0) {
            *ret = values[i];
            return true;
        }
    }
    return false;
}

const char *tau_shade_name(enum tau_shade value)
{
    switch (value) {
    case TAU_SHADE_LIGHT:
        return "light";
    case TAU_SHADE_DARK:
        return "dark";
    }
    return "unknown";
}

bool tau_shade_from_name(const char *name, enum tau_shade *ret)
{
    static const enum tau_shade values[] = {
        TAU_SHADE_LIGHT,
        TAU_SHADE_DARK,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(name, tau_shade_name(values[i])) == 0) {
            *ret = values[i];
            return true;
        }
    }
    return false;
}

const char *tau_status_text(enum tau_status status)
{
    switch (status) {
    case TAU_STATUS_SUCCESS:
        return "Done.";
    case TAU_STATUS_BAD_FRAME:
        return "A broken frame.";
    case TAU_STATUS_BAD_OPCODE:
        return "No such operation.";
    case TAU_STATUS_DENIED:
        return "Say hello first.";
    case TAU_STATUS_INVALID_PAYLOAD:
        return "A broken payload.";
    case TAU_STATUS_UNKNOWN_OUTCOME:
        return "Perhaps it happened.";
    case TAU_STATUS_TIMEOUT:
        return "Too late.";
    }
    return "The server sent a status that this version does not know.";
}

enum tau_status_class tau_status_class_of(enum tau_status status)
{
    switch (status) {
    case TAU_STATUS_SUCCESS:
        return TAU_STATUS_CLASS_OK;
    case TAU_STATUS_INVALID_PAYLOAD:
        return TAU_STATUS_CLASS_REQUEST;
    case TAU_STATUS_TIMEOUT:
        return TAU_STATUS_CLASS_RETRY;
    case TAU_STATUS_BAD_FRAME:
    case TAU_STATUS_BAD_OPCODE:
    case TAU_STATUS_DENIED:
        return TAU_STATUS_CLASS_FATAL;
    case TAU_STATUS_UNKNOWN_OUTCOME:
        return TAU_STATUS_CLASS_UNKNOWN;
    }
    return TAU_STATUS_CLASS_REQUEST;
}

const char *tau_status_class_name(enum tau_status_class status_class)
{
    switch (status_class) {
    case TAU_STATUS_CLASS_OK:
        return "ok";
    case TAU_STATUS_CLASS_REQUEST:
        return "request";
    case TAU_STATUS_CLASS_RETRY:
        return "retry";
    case TAU_STATUS_CLASS_FATAL:
        return "fatal";
    case TAU_STATUS_CLASS_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}
