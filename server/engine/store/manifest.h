// SPDX-License-Identifier: MIT
// The manifest: which objects are the stored data. It is written whole under a new number for each
// change, and the root then names it; whatever it does not name is left over and can go. It must
// not know what is in the objects.
#ifndef TAUD_ENGINE_STORE_MANIFEST_H
#define TAUD_ENGINE_STORE_MANIFEST_H

#include "../allocator.h"
#include "root.h"
#include "segment_name.h"

struct taud_manifest_segment {
    struct taud_segment_name name;
    uint64_t last_sequence;
    uint64_t size; // of the object
    uint64_t chunk_count;
    uint64_t point_count;
    int64_t first_timestamp;
    int64_t last_timestamp;
};

// An object of the catalog's changes: catalogs/NUMBER.cat.
struct taud_manifest_catalog {
    uint64_t number;
    uint64_t size;
};

// A range of a series that was deleted: it hides what the sequences up to this one hold.
struct taud_tombstone {
    uint64_t identity;
    int64_t from;
    int64_t to; // included
    uint64_t sequence;
};

struct taud_manifest {
    const struct taud_allocator *allocator;
    uint64_t number;         // 0: nothing was stored yet
    uint64_t flush_position; // of the log: what is before it is in the objects
    uint64_t next_sequence;  // above all that were used, as the two below
    uint64_t next_catalog;
    uint64_t next_identity;
    struct taud_manifest_segment *segments; // by sequence; their sequences do not overlap
    struct taud_manifest_catalog *catalogs; // by number
    struct taud_tombstone *tombstones;      // in the order in which they were added
    uint32_t segment_count, segment_room;
    uint32_t catalog_count, catalog_room;
    uint32_t tombstone_count, tombstone_room;
};

// One that names nothing. Memory is taken when something is added; done gives it back.
void taud_manifest_init(struct taud_manifest *manifest, const struct taud_allocator *allocator);
void taud_manifest_done(struct taud_manifest *manifest);

// A copy to change. Returns false when there is no memory; `ret` then needs no done.
bool taud_manifest_copy(const struct taud_manifest *manifest, struct taud_manifest *ret);

// Each puts the entry where it belongs and raises the next number above it. Returns false when
// there is no memory.
bool taud_manifest_add_segment(struct taud_manifest *manifest,
                               const struct taud_manifest_segment *segment);
bool taud_manifest_add_catalog(struct taud_manifest *manifest,
                               const struct taud_manifest_catalog *catalog);
bool taud_manifest_add_tombstone(struct taud_manifest *manifest,
                                 const struct taud_tombstone *tombstone);

// Each takes one out; nothing where it is not there.
void taud_manifest_remove_segment(struct taud_manifest *manifest, struct taud_segment_name name);
void taud_manifest_remove_catalog(struct taud_manifest *manifest, uint64_t number);
void taud_manifest_remove_tombstone(struct taud_manifest *manifest, uint32_t index);

bool taud_manifest_names_segment(const struct taud_manifest *manifest,
                                 struct taud_segment_name name);
bool taud_manifest_names_catalog(const struct taud_manifest *manifest, uint64_t number);

// --- as bytes ---------------------------------------------------------------------------------

size_t taud_manifest_size(const struct taud_manifest *manifest);
// Writes taud_manifest_size bytes.
void taud_manifest_encode(const struct taud_manifest *manifest, uint8_t *out);

// Which of its two copies are intact.
void taud_manifest_copies(const uint8_t *bytes, size_t size, bool ret_intact[2]);

enum taud_manifest_fault {
    TAUD_MANIFEST_NO_FAULT, // it could not be read: the status says why
    TAUD_MANIFEST_MISSING,
    TAUD_MANIFEST_DAMAGED,
    TAUD_MANIFEST_FUTURE, // of a later format
};

// Reads one into `ret`, which is initialised; it stays so, empty, where it fails. Returns SUCCESS,
// NO_MEMORY, or INTERNAL_ERROR with the fault DAMAGED or FUTURE.
enum tau_status taud_manifest_decode(const uint8_t *bytes, size_t size, struct taud_manifest *ret,
                                     enum taud_manifest_fault *ret_fault);

#endif
