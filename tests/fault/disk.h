// SPDX-License-Identifier: MIT
// A disk in memory behind the engine's I/O seam that can fail: any call once or for good, a power
// cut at any call, after which only what was synced is sure and the rest is there in part, sector
// by sector. Names follow the rules of a journalling file system: changes of directories become
// durable in order, at a sync of the directory.
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

enum disk_call_kind {
    DISK_OPEN,
    DISK_READ,
    DISK_WRITE,
    DISK_SYNC,
    DISK_PREALLOCATE,
    DISK_TRUNCATE,
    DISK_SIZE,
    DISK_LOCK,
    DISK_RENAME,
    DISK_LINK,
    DISK_UNLINK,
    DISK_MAKE_DIRECTORY,
    DISK_SYNC_DIRECTORY,
    DISK_LIST_DIRECTORY,
    DISK_SPACE,
};

struct disk_call {
    enum disk_call_kind kind;
    const char *path, *other; // of calls that name files
    int handle;               // else the file, and a number that it keeps under whatever name
    uint64_t file;
    uint64_t offset, size; // size: the flags of an open
    const void *data;      // of a write
};

struct disk *disk_new(bool direct); // whether direct writes are offered
void disk_free(struct disk *disk);
const struct taud_io *disk_io(struct disk *disk);

void disk_set_fault(struct disk *disk, struct disk_fault fault);
uint64_t disk_calls(struct disk *disk);
bool disk_fault_happened(struct disk *disk);

// How much all files together can hold; 0: no bound. A write that finds no space moves what fits.
void disk_set_capacity(struct disk *disk, uint64_t bytes);
uint64_t disk_used(struct disk *disk);

// Told before each call but close, without a lock, by the thread that calls. It may itself make
// calls.
typedef void disk_observer(const struct disk_call *call, void *user_data);
void disk_observe(struct disk *disk, disk_observer *observer, void *user_data);

// The planted bug: syncs report success and do nothing.
void disk_skip_syncs(struct disk *disk);

// After a power cut, or at any time: forgets what was not durable, keeping a part of it that `seed`
// chooses (seed 0 keeps nothing, 1 everything; others drop what comes last, whole writes out of
// their order, or sectors), and works again without faults. Open files are gone.
void disk_restart(struct disk *disk, uint64_t seed);

// The process dies: nothing that it calls happens any more. Then another one begins, with all that
// was written, be it durable or not.
void disk_halt(struct disk *disk);
void disk_resume(struct disk *disk);

// A copy as disk_restart would leave the disk, which goes on. From within an observer the call that
// it is told of may have happened in part.
struct disk *disk_power_cut(struct disk *disk, uint64_t seed);

// A copy of what the programs see, without what was going on. While an engine runs, too.
struct disk *disk_copy(struct disk *disk);

// The bytes of a file, or NULL; for planting damage.
uint8_t *disk_file(struct disk *disk, const char *path, uint64_t *ret_size);
const char *disk_file_name(struct disk *disk, unsigned number); // from 0; NULL behind the last
void disk_truncate(struct disk *disk, const char *path, uint64_t size);
void disk_remove(struct disk *disk, const char *path);
unsigned disk_count(struct disk *disk, const char *folder);
// A number that two disks of equal names and contents share; of names that begin with `prefix`, and
// without files that are empty or all zero: what is prepared for later holds nothing yet.
uint64_t disk_digest(struct disk *disk, const char *prefix);
uint64_t disk_fingerprint(struct disk *disk); // the same of all that there is

#endif
