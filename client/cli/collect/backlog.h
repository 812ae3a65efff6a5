/* SPDX-License-Identifier: MIT */
/*
 * Rows on their way to the server. What could not be sent stays and is sent later, so a restart of
 * the server costs nothing; when it takes too long, the oldest rows give way. To send a row twice
 * does no harm: the server refuses the second.
 */
#ifndef TAU_CLI_COLLECT_BACKLOG_H
#define TAU_CLI_COLLECT_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#include <tau/client.h>

#define CLI_BACKLOG_ROWS 65536

struct cli_backlog {
    size_t count;
    uint64_t dropped;        /* rows that gave way */
    uint64_t accepted;       /* rows that were stored */
    uint64_t refused;        /* rows that were refused for another reason than a missing series */
    enum tau_status refusal; /* the last such reason */
    struct tau_row rows[CLI_BACKLOG_ROWS];
};

/* Adds rows behind those that wait. */
void cli_backlog_add(struct cli_backlog *backlog, const struct tau_row *rows, size_t count);

/*
 * Sends what waits, and creates missing series. Returns success when nothing waits any more, else
 * why not, with `ret_error` filled; what was not answered still waits then.
 */
enum tau_status cli_backlog_send(struct cli_backlog *backlog, struct tau_client *client,
                                 struct tau_error *ret_error);

#endif
