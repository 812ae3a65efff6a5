// SPDX-License-Identifier: MIT
// What becomes of the catalog (series, policies, lenses), as records in their order: collected in
// memory since a cut, stored as objects by a flush, read back at a start. Many objects become one
// from time to time, without what was undone. It must not know what a catalog looks like in memory.
#ifndef TAUD_ENGINE_CATALOG_STORE_H
#define TAUD_ENGINE_CATALOG_STORE_H

#include "store/manifest.h"
#include "store/segment.h"

#include <pthread.h>
#include <stdbool.h>

enum {
    TAUD_CATALOG_BLOCK_BYTES = (64 << 10) - 64, // of records that one block holds
    TAUD_CATALOG_OBJECTS_MAX = 16,              // more become one
    // What waits for a flush; more is not taken.
    TAUD_CATALOG_WAITING_MAX = 128 << 20,
};

// Records, none of them in two blocks.
struct taud_catalog_block {
    struct taud_catalog_block *next;
    uint32_t used; // bytes
    uint8_t bytes[TAUD_CATALOG_BLOCK_BYTES];
};

// Records that wait for a flush.
struct taud_catalog_delta {
    const struct taud_allocator *allocator;
    pthread_mutex_t mutex; // over a copy of a record
    struct taud_catalog_block *first, *last;
    uint64_t limit;         // of bytes
    _Atomic uint64_t bytes; // of records
};

// One that takes no more than `limit` bytes at a time.
void taud_catalog_delta_init(struct taud_catalog_delta *delta,
                             const struct taud_allocator *allocator, uint64_t limit);
void taud_catalog_delta_done(struct taud_catalog_delta *delta);

// Adds a record, as it is in the log. Returns false when there is no memory, or too much waits.
bool taud_catalog_delta_add(struct taud_catalog_delta *delta, const void *record, size_t size);

// Takes all that there is: the caller's, NULL for nothing.
struct taud_catalog_block *taud_catalog_delta_take(struct taud_catalog_delta *delta);

void taud_catalog_blocks_free(const struct taud_allocator *allocator,
                              struct taud_catalog_block *blocks);

// --- objects ----------------------------------------------------------------------------------

// Stores blocks as object `number`, durable on return; empty ones are left out. Returns as the
// objects' put.
enum tau_status taud_catalog_write(const struct taud_store *store, uint64_t number,
                                   const struct taud_catalog_block *blocks,
                                   struct taud_manifest_catalog *ret, struct taud_error *error);

enum taud_catalog_fault {
    TAUD_CATALOG_NO_FAULT, // it could not be read: the status says why
    TAUD_CATALOG_MISSING,
    TAUD_CATALOG_DAMAGED, // blocks before the damage were told
    TAUD_CATALOG_FUTURE,
};

// Takes the records of a block. Another status than SUCCESS ends the reading, and is its result.
typedef enum tau_status taud_catalog_callback(const uint8_t *records, size_t size, void *user_data);

// Reads an object, block by block. A damaged block is passed over, if its size can be told. Returns
// SUCCESS, NO_MEMORY, INTERNAL_ERROR; *ret_fault says more about the last.
enum tau_status taud_catalog_read(const struct taud_store *store,
                                  const struct taud_manifest_catalog *object,
                                  taud_catalog_callback *callback, void *user_data,
                                  enum taud_catalog_fault *ret_fault, struct taud_error *error);

// --- making one of many -----------------------------------------------------------------------

// Makes of these objects and, behind them, `blocks`, blocks that lead to the same catalog with
// nothing in them that was undone: in catalog_fold.c. Memory is some 40 bytes for each record of
// them. Returns SUCCESS with what is the caller's (NULL: the catalog is empty), NO_MEMORY,
// INTERNAL_ERROR.
enum tau_status taud_catalog_fold(const struct taud_store *store,
                                  const struct taud_manifest_catalog *objects, uint32_t count,
                                  const struct taud_catalog_block *blocks,
                                  struct taud_catalog_block **ret_blocks, struct taud_error *error);

#endif
