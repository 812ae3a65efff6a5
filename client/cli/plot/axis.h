/* SPDX-License-Identifier: MIT */
/*
 * Chooses the marks of an axis: round numbers for values, round times for times.
 */
#ifndef TAU_CLI_PLOT_AXIS_H
#define TAU_CLI_PLOT_AXIS_H

#include <stddef.h>
#include <stdint.h>

#define CLI_TICK_LIMIT      32
#define CLI_TICK_TEXT_BYTES 32

/* The marks of an axis of values. */
struct cli_value_axis {
    double low; /* the first and the last mark, which enclose the data */
    double high;
    double step;
    int decimals; /* digits behind the point that tell the marks apart */
    size_t tick_count;
};

/* Encloses low to high, both finite, in at most `most` (2 or more) steps of 1, 2 or 5 x 10^n. */
void cli_value_axis_init(struct cli_value_axis *axis, double low, double high, size_t most);

/* The value of a mark, counted from the low end. */
double cli_value_axis_tick(const struct cli_value_axis *axis, size_t index);

/* Writes a mark into CLI_TICK_TEXT_BYTES bytes and returns its length. */
size_t cli_value_axis_text(const struct cli_value_axis *axis, size_t index, char *ret_text);

/* The marks of an axis of times. */
struct cli_time_axis {
    int64_t step_ns;
    size_t tick_count;
    int64_t ticks_ns[CLI_TICK_LIMIT]; /* within low to high */
};

/* Finds at most `most` round times from low to high. */
void cli_time_axis_init(struct cli_time_axis *axis, int64_t low_ns, int64_t high_ns, size_t most);

/* Writes a mark as short as its step allows: a date, minutes, seconds or fractions. */
size_t cli_time_axis_text(const struct cli_time_axis *axis, size_t index, char *ret_text);

#endif
