// SPDX-License-Identifier: MIT
// What turns memory into segments and segments into fewer: one thread (or whoever steps the engine)
// that cuts a generation, flushes it, commits the manifest, trims the log, compacts, and applies
// retention. It must not know requests.
//
// A cut holds every shard's lock for an instant: in it the generation rises and the position of the
// log is taken, so that a segment holds exactly the points that the log says between two cuts.
#ifndef TAUD_ENGINE_STORAGE_H
#define TAUD_ENGINE_STORAGE_H

#include "log.h"
#include "store/manifest_store.h"
#include "view.h"

struct taud_engine;

enum taud_work {
    TAUD_WORK_FLUSH,    // all that was written before is in segments, the log holds none of it
    TAUD_WORK_COMPACT,  // a flush, and all segments are merged with every effort
    TAUD_WORK_SNAPSHOT, // a flush, and the directory that is named holds a copy by links
    TAUD_WORK_KINDS,
};

struct taud_storage {
    struct taud_manifest manifest; // of the storage thread alone
    struct taud_root *root;
    struct taud_store store;
    struct taud_cache *cache;
    struct taud_views views;
    struct taud_codec *codec; // of the storage thread alone
    const struct taud_clock *clock;
    uint64_t file_seed;

    pthread_mutex_t mutex; // of what follows and is not atomic
    pthread_cond_t due;
    bool running, stopping;
    pthread_t thread;
    // Catalog records since the last cut, as they are in the log. Under the locks that a cut holds.
    uint8_t *catalog;
    size_t catalog_size, catalog_room;
    // Deleted ranges that are not in the manifest yet, and tickets of work: see storage.c.
    _Atomic uint32_t generation; // of heads and what is being sealed, from 1
    _Atomic int64_t newest_timestamp; // of all points that were ever accepted
};

#endif
