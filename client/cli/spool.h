/* SPDX-License-Identifier: MIT */
/*
 * Output into a pipe whose reader may take its time, such as `less`: what is written meanwhile is
 * kept in memory, up to a bound, and a thread hands it on. So the connection from which it comes
 * is read from, and no server takes it for one that nobody uses. It must not know clients.
 */
#ifndef TAU_CLI_SPOOL_H
#define TAU_CLI_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How much waits at most, before a write waits too; as much again is on its way. */
#define CLI_SPOOL_BYTES ((size_t)64 * 1024 * 1024)

struct cli_spool;

/*
 * Begins to write into `out`, which nobody else may use until the end, and returns the file to
 * write to as *ret_file. Returns NULL where `out` is no pipe or socket, or nothing can be kept:
 * then `out` itself is written to.
 */
struct cli_spool *cli_spool_begin(FILE *out, size_t limit, FILE **ret_file);

/*
 * Closes the file, and waits until all has been handed on, or cannot be: `out` says so as if it had
 * been written to. Returns whether a write ever had to wait for the reader. Accepts NULL.
 */
bool cli_spool_end(struct cli_spool *spool);

#endif
