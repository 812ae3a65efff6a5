/* SPDX-License-Identifier: MIT */
/*
 * The progress line. Rate and remaining time are averages since the beginning: steadier than what
 * the last moment shows, and a file is read at one speed.
 */
#include "terminal/progress.h"

#include <inttypes.h>
#include <string.h>

#include "format/time.h"
#include "terminal/terminal.h"

#define REDRAW_NS     INT64_C(100000000)
#define TEXT_BYTES    512
#define OTHER_COLUMNS 48
#define BAR_LIMIT     60

void cli_progress_init(struct cli_progress *progress, FILE *out, bool shown, uint64_t total,
                       int64_t now_ns)
{
    *progress = (struct cli_progress){
        .out = out,
        .shown = shown,
        .total = total,
        .began_ns = now_ns,
        .next_ns = now_ns + REDRAW_NS,
    };
}

/* A number with its thousands, millions or billions as a letter. */
static void scale(double number, char *ret_text, size_t text_size)
{
    static const char *const letters[] = {"", "k", "M", "G", "T"};
    size_t letter = 0;
    for (; number >= 999.5 && letter + 1 < sizeof(letters) / sizeof(letters[0]); letter++) {
        number /= 1000;
    }
    snprintf(ret_text, text_size, "%.3g%s", number, letters[letter]);
}

void cli_progress_text(const struct cli_progress *progress, uint64_t done, uint64_t points,
                       int64_t now_ns, unsigned bar_width, char *ret_text, size_t text_size)
{
    double seconds = (double)(now_ns - progress->began_ns) / 1e9;
    char rate[32];
    char size[32];
    char left[CLI_TIME_TEXT_SIZE] = "?";
    char bar[BAR_LIMIT + 1];
    scale(seconds > 0 ? (double)points / seconds : 0, rate, sizeof(rate));
    if (progress->total == 0) {
        scale((double)done, size, sizeof(size));
        snprintf(ret_text, text_size, "%sB  %s points/s", size, rate);
        return;
    }
    double part = done < progress->total ? (double)done / (double)progress->total : 1;
    if (part > 0) {
        cli_duration_to_text((int64_t)(seconds * (1 - part) / part) * CLI_NS_PER_SECOND, left);
    }
    unsigned width = bar_width < BAR_LIMIT ? bar_width : BAR_LIMIT;
    unsigned filled = (unsigned)(part * width);
    memset(bar, '.', width);
    memset(bar, '#', filled);
    bar[width] = '\0';
    snprintf(ret_text, text_size, "[%s] %3.0f%%  %s points/s  %s left", bar, part * 100, rate,
             left[0] == '0' && left[1] == ' ' ? "0 s" : left);
}

void cli_progress_update(struct cli_progress *progress, uint64_t done, uint64_t points,
                         int64_t now_ns)
{
    char text[TEXT_BYTES];
    unsigned columns;
    unsigned rows;
    if (!progress->shown || now_ns < progress->next_ns) {
        return;
    }
    cli_terminal_size(fileno(progress->out), 80, 24, &columns, &rows);
    unsigned bar_width = columns > OTHER_COLUMNS ? columns - OTHER_COLUMNS : 0;
    cli_progress_text(progress, done, points, now_ns, bar_width, text, sizeof(text));
    fprintf(progress->out, "\r\033[K%.*s", (int)(columns - 1), text);
    fflush(progress->out);
    progress->drawn = true;
    progress->next_ns = now_ns + REDRAW_NS;
}

void cli_progress_clear(struct cli_progress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", progress->out);
        fflush(progress->out);
        progress->drawn = false;
        progress->next_ns = 0;
    }
}
