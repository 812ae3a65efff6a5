/* SPDX-License-Identifier: MIT */
/*
 * Reads a range in pages: each is fetched whole before any of it is printed, and the next begins
 * behind the last timestamp of this one. So a reader such as `less` may wait for ever, the server
 * holds nothing for it, and a connection that ended while it waited is made anew.
 */
#ifndef TAU_CLI_PAGES_H
#define TAU_CLI_PAGES_H

#include "command.h"

/* The most points of one page. */
#define CLI_PAGE_POINTS 65536

struct cli_pages {
    struct tau_label label;
    int64_t from_ns;
    int64_t to_ns;
    uint64_t limit; /* points that are still wanted */
    bool backward;
    bool ended;
    size_t asked; /* points that the last page was to hold at most */
    size_t count; /* points of the page that was read last */
    int64_t *timestamps;
    double *values;
};

/* What to read. */
struct cli_range {
    struct tau_label label;
    int64_t from_ns; /* both included */
    int64_t to_ns;
    uint64_t limit; /* 0 for no limit */
    bool backward;
};

/* Prepares to read; returns false when there is no memory. cli_pages_done is called in any case. */
bool cli_pages_init(struct cli_pages *pages, const struct cli_range *range);

void cli_pages_done(struct cli_pages *pages);

/*
 * Reads the next page into `timestamps` and `values`; pages->count is 0 behind the last one.
 * Returns an exit code, and complains unless it is CLI_OK.
 */
int cli_pages_next(struct cli *cli, struct cli_pages *pages);

/* As cli_pages_next, but complains of nothing and hands out the status, with `ret_error` filled. */
enum tau_status cli_pages_fetch(struct cli *cli, struct cli_pages *pages,
                                struct tau_error *ret_error);

/* Reads FROM and TO, either of which may be NULL. Complains and returns false if one is wrong. */
bool cli_range_read(const struct cli *cli, const char *from, const char *to,
                    struct cli_range *ret_range);

#endif
