// SPDX-License-Identifier: MIT
// A disk in memory behind the engine's I/O seam that can fail: any call once or for good, a power cut
// at any call, after which only what was synced is sure and the rest is there in part, sector by
// sector. Names follow the rules of a journalling file system: changes of directories become durable
// in order, at a sync of the directory.
#ifndef TAU_TESTS_FAULT_DISK_H
#define TAU_TESTS_FAULT_DISK_H

#include "engine/io.h"

#include <stdbool.h>
#include <stdint.h>

struct disk;

enum disk_fault_kind {
    DISK_FAULT_NONE,
    DISK_FAULT_ERROR, // the call fails with `error`
    DISK_FAULT_SHORT, // a read or write moves a part only
    DISK_FAULT_CUT,   // this call may happen in part; all behind it fail
};

struct disk_fault {
    enum disk_fault_kind kind;
    uint64_t at; // number of the call, from 1
    bool for_good;
    int error;
};

struct disk *disk_new(bool direct); // whether direct writes are offered
void disk_free(struct disk *disk);
const struct taud_io *disk_io(struct disk *disk);

void disk_set_fault(struct disk *disk, struct disk_fault fault);
uint64_t disk_calls(struct disk *disk);
bool disk_fault_happened(struct disk *disk);

// The planted bug: syncs report success and do nothing.
void disk_skip_syncs(struct disk *disk);

// After a power cut, or at any time: forgets what was not durable, keeping a part of it that `seed`
// chooses (seed 0 keeps nothing, 1 everything), and works again without faults. Open files are gone.
void disk_restart(struct disk *disk, uint64_t seed);

// A copy of what the programs see, without what was going on. While an engine runs, too.
struct disk *disk_copy(struct disk *disk);

// The bytes of a file, or NULL; for planting damage.
uint8_t *disk_file(struct disk *disk, const char *path, uint64_t *ret_size);
void disk_truncate(struct disk *disk, const char *path, uint64_t size);
void disk_remove(struct disk *disk, const char *path);
unsigned disk_count(struct disk *disk, const char *folder);
// A number that two disks of equal names and contents share; of names that begin with `prefix`, and
// without files that are empty or all zero: what is prepared for later holds nothing yet.
uint64_t disk_digest(struct disk *disk, const char *prefix);

#endif
