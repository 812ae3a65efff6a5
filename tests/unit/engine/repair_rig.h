// SPDX-License-Identifier: MIT
// What an engine stored on a disk in memory, in segments, catalog objects and the log; damage to
// it; a repair; and what an engine then serves, held against what was stored.
#ifndef REPAIR_RIG_H
#define REPAIR_RIG_H

#include "check_rig.h"
#include "script.h"

#include "engine/check/repair.h"

enum {
    REPAIR_RIG_SERIES = 16,
    REPAIR_RIG_POINTS = 600,
    REPAIR_RIG_NAMES = 24,
    REPAIR_RIG_NAME_BYTES = 80,
};

// All that is served.
struct repair_rig_content {
    size_t series_count, lens_count;
    struct repair_rig_series {
        struct tau_label label;
        size_t count;
        int64_t timestamps[REPAIR_RIG_POINTS];
        double values[REPAIR_RIG_POINTS];
    } series[REPAIR_RIG_SERIES];
    uint64_t point_count;
};

struct repair_rig {
    struct disk *disk;    // after an orderly stop
    struct disk *damaged; // a copy of it, within a REPAIR_TEST
    struct repair_rig_content stored;
    char files[REPAIR_RIG_NAMES][REPAIR_RIG_NAME_BYTES]; // with "data/", but for empty ones
    size_t file_count;
    char done[4000]; // what the last repair said it did
};

// Three flushes, and what came after them; `clean` says whether it was stopped, or is as a kill
// leaves it.
void repair_rig_init(struct repair_rig *rig);
void repair_rig_done(struct repair_rig *rig);

// A test with a rig of its own, whose `damaged` it may spoil.
#define REPAIR_TEST(name, rig)                                                                     \
    cmocka_unit_test_prestate_setup_teardown(name, repair_rig_set_up, repair_rig_tear_down, &(rig))
int repair_rig_set_up(void **state);
int repair_rig_tear_down(void **state);

// The first file of a folder, from its place `index` on, NULL behind the last.
const char *repair_rig_file(const struct repair_rig *rig, const char *folder, size_t index);

// Tries a repair. Returns its status.
enum tau_status repair_rig_try(struct repair_rig *rig, struct disk *disk);

// Repairs a disk that is damaged, if a check says it is; then it must be good, and an engine starts
// on it and finds nothing wrong. Returns what it serves; *ret_found is what the first check said.
const struct repair_rig_content *repair_rig_serve(struct repair_rig *rig, struct disk *disk,
                                                  struct check_rig_findings *ret_found);

// How many of the stored points are not served. Whatever is served was stored, under that label or,
// where the label begins with "lost.", under any.
uint64_t repair_rig_missing(const struct repair_rig *rig,
                            const struct repair_rig_content *served);

#endif
