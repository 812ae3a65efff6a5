/* SPDX-License-Identifier: MIT */
/*
 * Network interfaces, from /proc/net/dev (proc(5)): counters since the interface came up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collect/samples.h"

#define RECEIVED 0
#define SENT     8
#define COUNTERS 16

/* Reads the counters behind an interface's name. */
static bool read_counters(const char *text, uint64_t *ret_counters)
{
    for (size_t i = 0; i < COUNTERS; i++) {
        int length = 0;
        if (sscanf(text, " %" SCNu64 "%n", &ret_counters[i], &length) != 1) {
            return false;
        }
        text += length;
    }
    return true;
}

static void add_direction(struct cli_samples *samples, const char *name, int length,
                          const char *direction, const uint64_t *counters)
{
    static const char *const kinds[] = {"bytes", "packets", "errors", "dropped"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        cli_samples_add(samples, (double)counters[i], "net.%.*s.%s_%s", length, name, direction,
                        kinds[i]);
    }
}

void cli_collect_network(const char *text, struct cli_samples *samples)
{
    for (const char *line = text; line != NULL && *line != '\0';) {
        uint64_t counters[COUNTERS];
        const char *name = line + strspn(line, " ");
        size_t length = strcspn(name, ":\n");
        if (name[length] == ':' && read_counters(name + length + 1, counters)) {
            add_direction(samples, name, (int)length, "rx", counters + RECEIVED);
            add_direction(samples, name, (int)length, "tx", counters + SENT);
        }
        line = cli_next_line(line);
    }
}
