/* SPDX-License-Identifier: MIT */
/*
 * A line on the terminal that says how far a long command has come. It shows nothing unless
 * standard error is a terminal.
 */
#ifndef TAU_CLI_TERMINAL_PROGRESS_H
#define TAU_CLI_TERMINAL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cli_progress {
    FILE *out;
    bool shown;     /* whether the line may be drawn at all */
    bool drawn;     /* whether it stands on the terminal now */
    uint64_t total; /* bytes in all, or 0 where nobody knows */
    int64_t began_ns;
    int64_t next_ns; /* when the line is drawn again */
};

/* Times are of a clock that never jumps. */
void cli_progress_init(struct cli_progress *progress, FILE *out, bool shown, uint64_t total,
                       int64_t now_ns);

/* Draws the line, a few times a second at most. `done` are bytes, `points` what they held. */
void cli_progress_update(struct cli_progress *progress, uint64_t done, uint64_t points,
                         int64_t now_ns);

/* Takes the line away, before something else is printed or at the end. */
void cli_progress_clear(struct cli_progress *progress);

/*
 * Writes the line into `ret_text`: a bar of `bar_width` characters, percent, rate and remaining
 * time; without a total only bytes and rate.
 */
void cli_progress_text(const struct cli_progress *progress, uint64_t done, uint64_t points,
                       int64_t now_ns, unsigned bar_width, char *ret_text, size_t text_size);

#endif
