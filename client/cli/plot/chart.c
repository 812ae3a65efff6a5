/* SPDX-License-Identifier: MIT */
/*
 * Draws a chart:
 *
 *      40 |        .:'
 *      20 |.....:''
 *       0 +--+------+---
 *          12:00  12:05
 *
 * The line goes from the last value of a column to the first of the next that has any, and stands
 * upright over all values that one column holds.
 */
#include "plot/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot/axis.h"
#include "plot/canvas.h"

/* The widest that the marks of the value axis may become, and what stands between them and the
 * chart. */
#define MARGIN_LIMIT 14
#define MARGIN_EDGE  2

/* Rows below the chart: the axis and its marks. */
#define FOOT_ROWS 2

/* The characters between two marks of the time axis, the mark included. */
#define TIME_TICK_WIDTH 13

#define COLOUR "\033[36m"
#define DIM    "\033[2m"
#define RESET  "\033[0m"

/* The characters of the axes. */
struct style {
    const char *upright;
    const char *marked;
    const char *corner;
    const char *level;
    const char *level_marked;
};

static const struct style unicode = {"│", "┤", "└", "─", "┬"};
static const struct style ascii = {"|", "+", "+", "-", "+"};

bool cli_chart_init(struct cli_chart *chart, size_t width, size_t height, bool braille,
                    int64_t from_ns, int64_t to_ns)
{
    *chart = (struct cli_chart){
        .braille = braille,
        .width = width < CLI_CHART_LEAST_WIDTH ? CLI_CHART_LEAST_WIDTH : width,
        .height = height < CLI_CHART_LEAST_HEIGHT ? CLI_CHART_LEAST_HEIGHT : height,
        .from_ns = from_ns,
        .to_ns = to_ns,
        .least = INFINITY,
        .greatest = -INFINITY,
    };
    /* How wide the margin will be depends on the values, so there are columns for none at all; they
       are drawn closer together when it is known. */
    chart->column_count = chart->width * (braille ? 2 : 1);
    chart->columns = calloc(chart->column_count, sizeof(*chart->columns));
    return chart->columns != NULL;
}

void cli_chart_done(struct cli_chart *chart)
{
    free(chart->columns);
    chart->columns = NULL;
}

/* The column of dots of a time, spread over all columns from edge to edge. */
static size_t column_of(const struct cli_chart *chart, int64_t timestamp_ns)
{
    double span = (double)((uint64_t)chart->to_ns - (uint64_t)chart->from_ns);
    double at = (double)((uint64_t)timestamp_ns - (uint64_t)chart->from_ns);
    double last = (double)(chart->column_count - 1);
    return span > 0 ? (size_t)fmin(last, round(at / span * last)) : chart->column_count / 2;
}

void cli_chart_add(struct cli_chart *chart, int64_t timestamp_ns, double value)
{
    if (timestamp_ns < chart->from_ns || timestamp_ns > chart->to_ns) {
        return;
    }
    chart->point_count++;
    if (!isfinite(value)) {
        chart->skipped_count++;
        return;
    }
    struct cli_chart_column *column = &chart->columns[column_of(chart, timestamp_ns)];
    if (!column->used) {
        *column = (struct cli_chart_column){
            .used = true, .first = value, .last = value, .least = value, .greatest = value};
    }
    column->last = value;
    column->least = fmin(column->least, value);
    column->greatest = fmax(column->greatest, value);
    chart->least = fmin(chart->least, value);
    chart->greatest = fmax(chart->greatest, value);
}

/* Where a column of the chart lies on the canvas. */
static size_t canvas_column(const struct cli_chart *chart, const struct cli_canvas *canvas,
                            size_t column)
{
    size_t last = chart->column_count - 1;
    return (column * (canvas->width - 1) + last / 2) / last;
}

/* The row of dots of a value, from the top. */
static size_t row_of(const struct cli_canvas *canvas, const struct cli_value_axis *axis,
                     double value)
{
    double part = (axis->high / 2 - value / 2) / (axis->high / 2 - axis->low / 2);
    double last = (double)(canvas->height - 1);
    return (size_t)fmin(last, fmax(0, round(part * last)));
}

static void draw(const struct cli_chart *chart, const struct cli_value_axis *axis,
                 struct cli_canvas *canvas)
{
    size_t before = chart->column_count;
    for (size_t i = 0; i < chart->column_count; i++) {
        const struct cli_chart_column *column = &chart->columns[i];
        size_t x = canvas_column(chart, canvas, i);
        if (!column->used) {
            continue;
        }
        cli_canvas_line(canvas, x, row_of(canvas, axis, column->greatest), x,
                        row_of(canvas, axis, column->least));
        if (before < i) {
            cli_canvas_line(canvas, canvas_column(chart, canvas, before),
                            row_of(canvas, axis, chart->columns[before].last), x,
                            row_of(canvas, axis, column->first));
        }
        before = i;
    }
}

/* The row of characters at which a mark of the value axis stands. */
static size_t tick_row(const struct cli_canvas *canvas, const struct cli_value_axis *axis,
                       size_t index)
{
    return row_of(canvas, axis, cli_value_axis_tick(axis, index)) * canvas->rows / canvas->height;
}

static size_t margin_of(const struct cli_value_axis *axis)
{
    size_t widest = 0;
    for (size_t i = 0; i < axis->tick_count; i++) {
        char text[CLI_TICK_TEXT_BYTES];
        size_t length = cli_value_axis_text(axis, i, text);
        widest = length > widest ? length : widest;
    }
    return widest < MARGIN_LIMIT ? widest : MARGIN_LIMIT;
}

static void print_margin(const struct cli_value_axis *axis, const struct cli_canvas *canvas,
                         size_t row, size_t margin, const struct style *style, FILE *out)
{
    char text[CLI_TICK_TEXT_BYTES] = "";
    bool marked = false;
    for (size_t i = 0; i < axis->tick_count && !marked; i++) {
        if (tick_row(canvas, axis, i) == row) {
            cli_value_axis_text(axis, i, text);
            marked = true;
        }
    }
    fprintf(out, "%*s %s", (int)margin, text, marked ? style->marked : style->upright);
}

/* The character of a mark of the time axis. */
static size_t tick_column(const struct cli_chart *chart, const struct cli_canvas *canvas,
                          int64_t tick_ns)
{
    return canvas_column(chart, canvas, column_of(chart, tick_ns)) / (chart->braille ? 2 : 1);
}

static void print_time_axis(const struct cli_chart *chart, const struct cli_canvas *canvas,
                            size_t margin, const struct style *style, FILE *out)
{
    struct cli_time_axis axis;
    size_t columns = canvas->columns;
    size_t most = columns / TIME_TICK_WIDTH;
    cli_time_axis_init(&axis, chart->from_ns, chart->to_ns, most > 0 ? most : 1);
    fprintf(out, "%*s %s", (int)margin, "", style->corner);
    for (size_t x = 0, tick = 0; x < columns; x++) {
        bool marked =
            tick < axis.tick_count && tick_column(chart, canvas, axis.ticks_ns[tick]) == x;
        tick += marked;
        fputs(marked ? style->level_marked : style->level, out);
    }
    fprintf(out, "\n%*s", (int)margin + MARGIN_EDGE, "");
    size_t at = 0;
    for (size_t i = 0; i < axis.tick_count; i++) {
        char text[CLI_TICK_TEXT_BYTES];
        size_t length = cli_time_axis_text(&axis, i, text);
        size_t column = tick_column(chart, canvas, axis.ticks_ns[i]);
        size_t begin = column > length / 2 ? column - length / 2 : 0;
        if (begin + length > columns && columns > length) {
            begin = columns - length;
        }
        if (i > 0 && begin < at + 1) {
            continue;
        }
        fprintf(out, "%*s%s", (int)(begin - at), "", text);
        at = begin + length;
    }
    fputc('\n', out);
}

static void print_rows(const struct cli_chart *chart, const struct cli_value_axis *axis,
                       const struct cli_canvas *canvas, size_t margin, FILE *out)
{
    const struct style *style = chart->braille ? &unicode : &ascii;
    for (size_t row = 0; row < canvas->rows; row++) {
        fputs(chart->colour ? DIM : "", out);
        print_margin(axis, canvas, row, margin, style, out);
        fputs(chart->colour ? RESET COLOUR : "", out);
        cli_canvas_print_row(canvas, row, out);
        fputs(chart->colour ? RESET "\n" : "\n", out);
    }
    fputs(chart->colour ? DIM : "", out);
    print_time_axis(chart, canvas, margin, style, out);
    fputs(chart->colour ? RESET : "", out);
}

bool cli_chart_print(const struct cli_chart *chart, FILE *out)
{
    struct cli_value_axis axis;
    struct cli_canvas canvas;
    size_t rows = chart->height - FOOT_ROWS;
    if (chart->point_count == chart->skipped_count) {
        return false;
    }
    cli_value_axis_init(&axis, chart->least, chart->greatest, rows / 2 > 2 ? rows / 2 : 2);
    size_t margin = margin_of(&axis);
    bool ok = cli_canvas_init(&canvas, chart->width - margin - MARGIN_EDGE, rows, chart->braille);
    if (ok) {
        draw(chart, &axis, &canvas);
        print_rows(chart, &axis, &canvas, margin, out);
    }
    cli_canvas_done(&canvas);
    return ok;
}
