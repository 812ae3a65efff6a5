/* SPDX-License-Identifier: MIT */
/*
 * Prints the payloads of a reply as the server's specification lays them out. It knows no operation
 * of its own. A unary answer is a record, and a table for each of its arrays; the frames of a
 * stream are the rows of one table.
 */
#ifndef TAU_CLI_SPECIFICATION_RENDER_H
#define TAU_CLI_SPECIFICATION_RENDER_H

#include "command.h"
#include "specification/document.h"

/* One field of a payload, found in its bytes. */
struct cli_spec_value {
    bool present;
    const uint8_t *data; /* borrowed from the payload */
    size_t size;         /* in bytes */
    size_t count;        /* elements of an array; of the others 1 */
};

/*
 * Finds the fields of a payload. Returns NULL, or what is wrong with it; *ret_field is then the
 * field at which that was seen, or the number of fields. `ret_values` has room for
 * CLI_SPEC_FIELD_LIMIT.
 */
const char *cli_spec_find_values(const struct cli_spec_payload *layout, struct tau_slice payload,
                                 struct cli_spec_value *ret_values, size_t *ret_field);

/* A column, and where its cells come from. */
struct cli_spec_column {
    size_t field;
    const struct cli_spec_member *member; /* of a struct, or NULL */
};

struct cli_render {
    const struct cli *cli;
    const struct cli_spec_operation *operation;
    struct cli_writer writer;
    struct cli_spec_column sources[CLI_COLUMN_LIMIT];
    struct cli_column columns[CLI_COLUMN_LIMIT];
    char names[CLI_COLUMN_LIMIT][CLI_SPEC_NAME_LIMIT + 1]; /* of elements, in the singular */
    size_t count;
    bool failed;
};

/* Prepares to print. cli_render_end is called in any case. */
void cli_render_begin(struct cli_render *render, const struct cli *cli,
                      const struct cli_spec_operation *operation);

/* Prints a frame. Returns false, and complains, when it does not fit the specification. */
bool cli_render_frame(struct cli_render *render, struct tau_slice payload);

void cli_render_end(struct cli_render *render);

#endif
