// SPDX-License-Identifier: MIT
// A hash table from labels to things that begin with their label. It grows by linear hashing
// (Litwin, "Linear Hashing: A New Tool for File and Table Addressing", 1980): one bucket is split
// for a few insertions, so no lookup or insertion ever waits for a resize. One cache line a bucket.
// The caller locks; only taud_table_prefetch may run beside anything.
#ifndef TAUD_ENGINE_TABLE_H
#define TAUD_ENGINE_TABLE_H

#include "arena.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <tau/protocol.h>

// What stands at the start of everything in a table. The hash is kept for splits.
struct taud_named {
    struct tau_label label;
    uint64_t hash;
};

enum { TAUD_BUCKET_ENTRIES = 7 };

struct taud_bucket {
    _Atomic uint64_t entries[TAUD_BUCKET_ENTRIES]; // address below 2^48, 16 bits of the hash above
    _Atomic uint64_t overflow;                     // address of another bucket, 0 for none
};

struct taud_table {
    struct taud_arena *arena;
    _Atomic(struct taud_bucket *) *segments; // of 256 buckets each
    uint32_t segments_max;
    _Atomic uint64_t shape; // level in the upper half: 2^level + split buckets exist
    uint64_t count;
};

// Memory only; takes room for at most `entries_max` entries' worth of segment addresses from the
// arena's allocator, touched as they come. Returns false when there is none.
bool taud_table_init(struct taud_table *table, struct taud_arena *arena, uint64_t entries_max);
void taud_table_done(struct taud_table *table);

struct taud_named *taud_table_find(const struct taud_table *table, uint64_t hash,
                                   const struct tau_label *label);

// The label must not be there. Returns false when memory is at its bound; nothing changed then.
bool taud_table_insert(struct taud_table *table, struct taud_named *named);

// The thing must be there.
void taud_table_remove(struct taud_table *table, const struct taud_named *named);

// Brings the bucket, then what it probably leads to, near. Both take no lock and answer to nobody.
void taud_table_prefetch(const struct taud_table *table, uint64_t hash);
void taud_table_prefetch_named(const struct taud_table *table, uint64_t hash);

#endif
