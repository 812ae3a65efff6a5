/* SPDX-License-Identifier: MIT */
/*
 * Writes one field of CSV, for those who write CSV without a writer.
 */
#ifndef TAU_CLI_FORMAT_DELIMITED_H
#define TAU_CLI_FORMAT_DELIMITED_H

#include <stdio.h>

#include "format/cell.h"

/* Quotes the field where RFC 4180 asks for it, and where it is empty or begins or ends in a blank.
 */
void cli_csv_field(FILE *out, struct cli_text text);

#endif
