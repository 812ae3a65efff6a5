/* SPDX-License-Identifier: MIT */
/*
 * Collects rows. A name that is no label is left out and counted, never cut: two long names must
 * not become one series.
 */
#include "collect/samples.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 256

void cli_samples_begin(struct cli_samples *samples, const char *prefix, int64_t timestamp_ns)
{
    samples->prefix = prefix;
    samples->timestamp_ns = timestamp_ns;
    samples->count = 0;
    samples->skipped = 0;
}

void cli_samples_add(struct cli_samples *samples, double value, const char *format, ...)
{
    char name[NAME_BYTES];
    struct tau_row row = {.timestamp = samples->timestamp_ns, .value = value};
    va_list arguments;
    int prefix = snprintf(name, sizeof(name), "%s", samples->prefix);
    int length = -1;
    if (prefix >= 0 && prefix < NAME_BYTES) {
        va_start(arguments, format);
        length = vsnprintf(name + prefix, sizeof(name) - (size_t)prefix, format, arguments);
        va_end(arguments);
    }
    int size = prefix + length;
    if (length < 0 || size >= NAME_BYTES || samples->count == CLI_SAMPLE_LIMIT ||
        tau_label_from_bytes(name, (size_t)size, &row.label) != TAU_STATUS_SUCCESS) {
        samples->skipped++;
        return;
    }
    samples->rows[samples->count++] = row;
}

const char *cli_next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end != NULL ? end + 1 : NULL;
}
