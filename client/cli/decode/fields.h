/* SPDX-License-Identifier: MIT */
/*
 * Takes the payload of a frame apart, field by field, as the generated tables describe it, and
 * hands each value to whoever prints it. Nothing here knows any operation, but that what CONNECT
 * carries is a secret.
 */
#ifndef TAU_CLI_DECODE_FIELDS_H
#define TAU_CLI_DECODE_FIELDS_H

#include "decode/conversation.h"
#include "format/cell.h"

/* Stands for the bytes of a secret. */
#define CLI_FIELD_SECRET "hidden"

/* Is told the values in their order. A name is NULL for an element of an array. Cells, and what
   they point at, are borrowed for the call. */
struct cli_field_sink {
    void (*value)(void *user_data, const char *name, const struct cli_cell *cell);
    void (*word)(void *user_data, const char *name, const char *word); /* for a number */
    void (*bytes)(void *user_data, const char *name, struct tau_slice bytes); /* that are no text */
    void (*open_array)(void *user_data, const char *name, size_t count);
    void (*close_array)(void *user_data);
    void (*open_struct)(void *user_data, const char *name);
    void (*close_struct)(void *user_data);
    size_t max_elements; /* the first so many of an array are told */
    void *user_data;
};

/* What is wrong with a payload, or what more it holds. */
struct cli_field_result {
    enum tau_status status; /* success, invalid_payload or no_memory */
    const char *field;      /* at fault, or NULL */
    uint32_t offset;
    size_t extra; /* bytes that a later version has added */
};

/* Nothing is told of a payload that is wrong. */
void cli_fields_walk(const struct cli_frame *frame, const struct cli_field_sink *sink,
                     struct cli_field_result *ret_result);

#endif
