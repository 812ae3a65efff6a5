/* SPDX-License-Identifier: MIT */
/*
 * A chart of one series: points go in as they come, in any number, and one character chart comes
 * out. Memory depends on the width alone: each column of dots keeps its first, last, least and
 * greatest value, so no peak is lost.
 */
#ifndef TAU_CLI_PLOT_CHART_H
#define TAU_CLI_PLOT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The values that fell into one column of dots. */
struct cli_chart_column {
    bool used;
    double first;
    double last;
    double least;
    double greatest;
};

struct cli_chart {
    bool braille;
    bool colour;
    size_t width; /* in characters, axes included */
    size_t height;
    int64_t from_ns; /* the times of the first and the last column */
    int64_t to_ns;
    size_t column_count;
    struct cli_chart_column *columns;
    uint64_t point_count;
    uint64_t skipped_count; /* infinities and NaN, which have no place */
    double least;
    double greatest;
};

#define CLI_CHART_LEAST_WIDTH  24
#define CLI_CHART_LEAST_HEIGHT 6

/*
 * Begins a chart of `width` x `height` characters, each at least CLI_CHART_LEAST_..., of the times
 * from_ns to to_ns. Returns false when there is no memory. cli_chart_done is called in any case.
 */
bool cli_chart_init(struct cli_chart *chart, size_t width, size_t height, bool braille,
                    int64_t from_ns, int64_t to_ns);

void cli_chart_done(struct cli_chart *chart);

/* Adds a point; those outside the chart's times are left out. */
void cli_chart_add(struct cli_chart *chart, int64_t timestamp_ns, double value);

/* Prints the chart. Returns false when there is no memory, or no finite point to draw. */
bool cli_chart_print(const struct cli_chart *chart, FILE *out);

#endif
