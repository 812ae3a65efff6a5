/* SPDX-License-Identifier: MIT */
/*
 * Asks a server for its specification.
 */
#ifndef TAU_CLI_SPECIFICATION_FETCH_H
#define TAU_CLI_SPECIFICATION_FETCH_H

#include "command.h"
#include "specification/document.h"

/*
 * Fetches and reads the document of the server that a client is connected to. Returns CLI_OK and
 * the document, which is the caller's, or complains and returns an exit code.
 */
int cli_fetch_document(const struct cli *cli, struct tau_client *client,
                       struct cli_document **ret_document);

/* Finds an operation in a document; complains and returns NULL where there is none of the name. */
const struct cli_spec_operation *
cli_fetch_operation(const struct cli *cli, const struct cli_document *document, const char *name);

#endif
