/* SPDX-License-Identifier: MIT */
/*
 * Writes the payload of a request from FIELD=VALUE, as the server's specification lays it out. It
 * knows no operation of its own.
 *
 *     FIELD=VALUE               one value; a struct's members parted by slashes: a/b
 *     FIELD=VALUE,VALUE,...     the elements of an array; the field that counts them follows
 */
#ifndef TAU_CLI_SPECIFICATION_ASSEMBLE_H
#define TAU_CLI_SPECIFICATION_ASSEMBLE_H

#include "command.h"
#include "specification/document.h"

struct cli_payload {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/*
 * Assembles a request. Returns CLI_OK, or complains and returns an exit code. The payload is to be
 * freed with cli_payload_free in any case.
 */
int cli_assemble(const struct cli *cli, const struct cli_spec_operation *operation,
                 char *const *assignments, size_t count, struct cli_payload *ret_payload);

void cli_payload_free(struct cli_payload *payload);

/* The fields that are given, as they are written: `label=LABEL timestamp=TIME`. */
void cli_assemble_usage(const struct cli_spec_payload *request, FILE *out);

#endif
