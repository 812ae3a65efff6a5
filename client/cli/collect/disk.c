/* SPDX-License-Identifier: MIT */
/*
 * Disks, from /proc/diskstats (the kernel's Documentation/admin-guide/iostats.rst): counters since
 * the machine started. A sector is 512 bytes there, whatever the disk's own are.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collect/samples.h"

#define SECTOR_BYTES 512

void cli_collect_disk(const char *text, bool (*is_wanted)(const char *name),
                      struct cli_samples *samples)
{
    for (const char *line = text; line != NULL && *line != '\0';) {
        char name[64];
        uint64_t reads;
        uint64_t sectors_read;
        uint64_t writes;
        uint64_t sectors_written;
        uint64_t busy_ms;
        if (sscanf(line,
                   "%*u %*u %63s %" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64
                   " %*u %*u %" SCNu64,
                   name, &reads, &sectors_read, &writes, &sectors_written, &busy_ms) == 6 &&
            reads + writes > 0 && is_wanted(name)) {
            cli_samples_add(samples, (double)reads, "disk.%s.reads", name);
            cli_samples_add(samples, (double)sectors_read * SECTOR_BYTES, "disk.%s.read_bytes",
                            name);
            cli_samples_add(samples, (double)writes, "disk.%s.writes", name);
            cli_samples_add(samples, (double)sectors_written * SECTOR_BYTES, "disk.%s.write_bytes",
                            name);
            cli_samples_add(samples, (double)busy_ms, "disk.%s.busy_ms", name);
        }
        line = cli_next_line(line);
    }
}
