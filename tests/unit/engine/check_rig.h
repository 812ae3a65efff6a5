// SPDX-License-Identifier: MIT
// A small store on a disk in memory, with something of everything that a check looks at: a root, a
// manifest, two segments, a log of two segments of which the first group is flushed. And checks of
// it, as it is or damaged.
#ifndef CHECK_RIG_H
#define CHECK_RIG_H

#include "store_rig.h"

#include "engine/check/check.h"
#include "engine/store/manifest_store.h"

enum { CHECK_RIG_SEGMENTS = 2, CHECK_RIG_GROUPS = 5 };

struct check_rig {
    struct store_rig store;
    struct taud_manifest manifest;
    struct taud_root root;
    uint64_t position; // of the end of the log
};

extern const struct store_shape check_rig_shapes[CHECK_RIG_SEGMENTS];

// Everything is durable, and the backend is closed.
void check_rig_init(struct check_rig *rig);
void check_rig_done(struct check_rig *rig);

// Appends a group of records to the log, which was opened by check_rig_open_log.
void check_rig_open_log(struct check_rig *rig, uint64_t from_position);
void check_rig_append(struct check_rig *rig, const void *records, size_t size);

// What a check found.
struct check_rig_findings {
    enum tau_status status;
    struct taud_error error;
    struct taud_check_report report;
    uint64_t damaged; // DAMAGED and LOST
    char text[4000];  // a line for each: kind, place, offset, size, problem, loss, label
};

// Checks a disk by a backend that only reads. The disk must not change.
void check_rig_check(struct disk *disk, struct check_rig_findings *ret);

#endif
