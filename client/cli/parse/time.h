/* SPDX-License-Identifier: MIT */
/*
 * Reads times and durations as people write them. The grammars are Ragel's, in time.rl and
 * duration.rl; what a text means is decided in plain C, with every sum checked for overflow.
 */
#ifndef TAU_CLI_PARSE_TIME_H
#define TAU_CLI_PARSE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a bare number counts. The value is the unit in nanoseconds. */
enum cli_unit {
    CLI_UNIT_NS = 1,
    CLI_UNIT_US = 1000,
    CLI_UNIT_MS = 1000000,
    CLI_UNIT_S = 1000000000
};

/* How times are read. */
struct cli_time_rules {
    enum cli_unit unit;
    bool relative;  /* whether `now`, `-1h` and `now-1h` are allowed */
    int64_t now_ns; /* what `now` means */
};

/*
 * Reads a time: RFC 3339, `YYYY-MM-DD[ HH:MM:SS[.fraction]]` in UTC, or a number of units that may
 * have decimals; with `relative` also `now` and durations before or after it. Returns NULL, or why
 * the text is no time; *ret_ns is untouched then.
 */
const char *cli_time_from_text(const char *text, const struct cli_time_rules *rules,
                               int64_t *ret_ns);

/*
 * Reads a duration: numbers with the units ns, us, ms, s, m, h, d or w, one behind the other, such
 * as `90s`, `1h30m` or `2.5ms`. Returns NULL, or why the text is no duration.
 */
const char *cli_duration_from_text(const char *text, int64_t *ret_ns);

/* Reads the name of a unit. */
bool cli_unit_from_text(const char *text, enum cli_unit *ret_unit);

/* The names of the units, one after the other; NULL behind the last. */
const char *cli_unit_name(size_t index);

#endif
