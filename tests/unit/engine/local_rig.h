// SPDX-License-Identifier: MIT
// The local backend as its own files see it, on a disk in memory and with memory that can be
// refused; and one operation of it tried with each of its calls to the disk failing in turn.
#ifndef LOCAL_RIG_H
#define LOCAL_RIG_H

#include "disk.h"
#include "failing_allocator.h"

#include "engine/local.h"

enum { LOCAL_RIG_SEGMENT_BYTES = 32 << 10 };

struct local_rig {
    struct disk *disk;
    struct failing_allocator memory;
    struct taud_backend *backend;
    struct taud_local *local; // the same
    struct taud_error error;
};

// An empty disk, and a backend for its directory "data", not open yet.
void local_rig_init(struct local_rig *rig, bool direct);
// Frees both; nothing of the allocator's may be left.
void local_rig_done(struct local_rig *rig);

// A backend that was not there before, on the disk as it is.
void local_rig_renew(struct local_rig *rig);

// The directory taken hold of; it must succeed.
void local_rig_open(struct local_rig *rig);

// A file below the directory; NULL when it is not there.
uint8_t *local_rig_file(struct local_rig *rig, const char *name, uint64_t *ret_size);
void local_rig_put(struct local_rig *rig, const char *name, const void *data, size_t size);

// One operation, tried on a fresh rig for each of its calls to the disk, which meets `fault`.
// `check` is told the answer, and whether the call failed; the disk works again by then.
struct local_rig_trial {
    void (*prepare)(struct local_rig *rig);
    int (*run)(struct local_rig *rig); // a status, or a negative errno
    void (*check)(struct local_rig *rig, int answer, bool failed);
    bool direct;
};

// Returns how many calls there were.
unsigned local_rig_try_each_call(const struct local_rig_trial *trial, struct disk_fault fault);

#endif
