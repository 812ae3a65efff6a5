/* SPDX-License-Identifier: MIT */
/*
 * Prints what a server's specification says: all operations in a table, or one of them in full. All
 * words are the server's.
 */
#ifndef TAU_CLI_SPECIFICATION_EXPLAIN_H
#define TAU_CLI_SPECIFICATION_EXPLAIN_H

#include "command.h"
#include "specification/document.h"

/* What this tau-cli knows of an operation: `yes`, `another layout` or `no`. */
typedef const char *cli_explain_known(const struct cli *cli,
                                      const struct cli_spec_operation *operation);

void cli_explain_list(const struct cli *cli, const struct cli_document *document,
                      cli_explain_known *known);

void cli_explain_operation(const struct cli *cli, const struct cli_document *document,
                           const struct cli_spec_operation *operation, cli_explain_known *known);

/* How an operation of an unknown name may have been meant, or NULL. */
const struct cli_spec_operation *cli_explain_nearest(const struct cli_document *document,
                                                     const char *name);

#endif
