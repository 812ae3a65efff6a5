/* SPDX-License-Identifier: MIT */
/*
 * Runs a command that is nothing but one operation: its arguments are read and its answer is
 * printed by the types of their fields, as the generated tables describe them. A new operation
 * whose specification names a command needs no line of C here.
 */
#ifndef TAU_CLI_GENERIC_H
#define TAU_CLI_GENERIC_H

#include "command.h"

/* How a field is read and printed. */
enum cli_field_kind {
    CLI_FIELD_UNSIGNED,
    CLI_FIELD_SIGNED,
    CLI_FIELD_F64,
    CLI_FIELD_BOOL,
    CLI_FIELD_ENUM,
    CLI_FIELD_TIME,
    CLI_FIELD_DURATION, /* in nanoseconds */
    CLI_FIELD_NAME,     /* 32 bytes, written as a label is */
    CLI_FIELD_TEXT      /* a struct tau_slice */
};

#define CLI_NO_OFFSET SIZE_MAX

/* A value of an enumeration, and its name. */
struct cli_choice {
    const char *name;
    uint64_t value;
};

/* One field of a request, a response or an element. */
struct cli_field {
    const char *name;
    enum cli_field_kind kind;
    size_t offset;       /* in its C struct */
    size_t size;         /* of the member */
    size_t has_offset;   /* of the bool that says whether it is there, or CLI_NO_OFFSET */
    size_t needs_offset; /* of the count or truth while which is 0 this field has no meaning */
    size_t needs_size;   /* of that member; 0 where the field always has a meaning */
    int64_t minimum;     /* of an integer that is no time */
    uint64_t maximum;
    const struct cli_choice *choices; /* of an enumeration */
    size_t choice_count;
};

/* One array of a response. */
struct cli_array {
    const char *name;
    size_t offset;
    size_t element_size;
    void (*at)(struct tau_array array, size_t index, void *ret_element);
    const struct cli_field *fields;
    size_t field_count;
};

/* One operation. */
struct cli_operation {
    size_t request_size;
    size_t response_size;
    const struct cli_field *arguments; /* in the order in which they are typed */
    size_t argument_count;
    const struct cli_field *results;
    size_t result_count;
    const struct cli_array *arrays;
    size_t array_count;
    enum tau_status (*call)(struct tau_client *client, const void *request, void *ret_response,
                            struct tau_error *error);
};

/* Runs a command of the table whose `generic` is set. Returns the exit code. */
int cli_generic_run(struct cli *cli, const struct cli_command *command, int argc, char **argv);

/* Reads one argument into its place in a request. Complains and returns false if it is wrong. */
bool cli_field_read(const struct cli *cli, const struct cli_field *field, const char *text,
                    void *request);

/* The cell of a field of a response or an element. */
struct cli_cell cli_field_cell(const struct cli_field *field, const void *holder);

#endif
