/* SPDX-License-Identifier: MIT */
/*
 * Foreign text made fit for a terminal and for tables: what a server or a file said is shown, and
 * does nothing. Whatever is not printable UTF-8 is written `\xHH`, byte by byte.
 */
#ifndef TAU_CLI_FORMAT_PLAIN_H
#define TAU_CLI_FORMAT_PLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "format/cell.h"

/* Whether a text is fit as it is. The characters of `kept`, all of them ASCII, are let through. */
bool cli_is_plain(struct cli_text text, const char *kept);

/*
 * A copy that is fit, to be freed by the caller; it ends in a zero byte that its size does not
 * count. Its data is NULL when there is no memory.
 */
struct cli_text cli_plain_copy(struct cli_text text, const char *kept);

/* Writes a text so that it is fit. */
void cli_plain_print(FILE *out, struct cli_text text, const char *kept);

#endif
