// SPDX-License-Identifier: MIT
// The local backend on a disk in memory, with a stage between it and the engine: each call that
// does not move points may be made to fail, a log that nobody wrote can be played to the engine,
// and what the engine did write can be read. Writes themselves fail where the disk does.
#ifndef STAGED_STORAGE_H
#define STAGED_STORAGE_H

#include "disk.h"

#include "engine/backend.h"

#include <stdatomic.h>

enum { STAGED_GROUPS = 16 };

// A call's answer; SUCCESS lets it through.
struct staged_answers {
    enum tau_status open, read, log_open, swap, start;
};

struct staged_storage {
    struct disk *disk;
    struct taud_backend *backend; // what the engine is given
    struct taud_log_operations log;
    struct taud_catalog_operations catalog;
    // The local backend's own.
    const struct taud_log_operations *local_log;
    const struct taud_catalog_operations *local_catalog;
    enum tau_status (*local_open)(struct taud_backend *backend, struct taud_error *error);
    void (*local_close)(struct taud_backend *backend);

    struct staged_answers answers;
    _Atomic bool no_preparation; // nothing is prepared, for want of space ...
    _Atomic uint64_t room;       // ... and so much is left

    // Played behind what is stored, and a report that replaces the local one but for its end.
    struct taud_log_group groups[STAGED_GROUPS];
    size_t group_count;
    struct taud_log_report report;

    bool is_open, log_is_open;
    uint64_t known_position; // that the last open of the log was given
    uint64_t epoch;          // that the log was started under
    unsigned swaps;          // of the catalog, that were tried
    uint8_t content[TAUD_CATALOG_BYTES_MAX]; // of the last one
    size_t content_size;
};

void staged_storage_init(struct staged_storage *storage);
void staged_storage_done(struct staged_storage *storage);

// Every call of the disk fails with this error from now on; 0: none.
void staged_storage_break(struct staged_storage *storage, int error);

// Copies what the log has from `position` on, as the next start would read it. Returns the size.
size_t staged_storage_logged(struct staged_storage *storage, uint64_t position, uint8_t *ret,
                             size_t capacity);

#endif
