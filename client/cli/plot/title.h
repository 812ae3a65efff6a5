/* SPDX-License-Identifier: MIT */
/*
 * The line above a chart. It is never wider than the chart: what a narrow one has no room for is
 * left out or cut, since the axes say the times again and the reader typed the name.
 */
#ifndef TAU_CLI_PLOT_TITLE_H
#define TAU_CLI_PLOT_TITLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the title says. */
struct cli_title {
    const char *name; /* of the series */
    uint64_t point_count;
    const char *from; /* the times of the first and the last column */
    const char *to;
};

/*
 * Prints the title in at most `width` columns of the terminal, and a line end. A name that is cut
 * ends in an ellipsis, of three points where `ascii` is set.
 */
void cli_title_print(const struct cli_title *title, size_t width, bool ascii, FILE *out);

#endif
