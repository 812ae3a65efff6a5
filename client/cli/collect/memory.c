/* SPDX-License-Identifier: MIT */
/*
 * Memory, from /proc/meminfo (proc(5)), in bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collect/samples.h"

void cli_collect_memory(const char *text, struct cli_samples *samples)
{
    static const struct {
        const char *key;
        const char *name;
    } wanted[] = {
        {"MemTotal:", "total"},       {"MemFree:", "free"},       {"MemAvailable:", "available"},
        {"Buffers:", "buffers"},      {"Cached:", "cached"},      {"Dirty:", "dirty"},
        {"SwapTotal:", "swap_total"}, {"SwapFree:", "swap_free"},
    };
    for (const char *line = text; line != NULL && *line != '\0';) {
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
            size_t length = strlen(wanted[i].key);
            uint64_t kib;
            if (strncmp(line, wanted[i].key, length) == 0 &&
                sscanf(line + length, "%" SCNu64, &kib) == 1) {
                cli_samples_add(samples, (double)kib * 1024, "mem.%s", wanted[i].name);
            }
        }
        line = cli_next_line(line);
    }
}
