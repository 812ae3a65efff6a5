// SPDX-License-Identifier: MIT
// From the identity of a series to the series: pages of a directory that come with the first series
// of a page and go with its last. Replay, flush and compaction find series by it.
#ifndef TAUD_ENGINE_IDENTITIES_H
#define TAUD_ENGINE_IDENTITIES_H

#include "series.h"

#include <pthread.h>

enum { TAUD_IDENTITIES_PAGE = 4096 };

struct taud_identities_page;

struct taud_identities {
    const struct taud_allocator *allocator;
    pthread_mutex_t mutex; // over a few assignments
    struct taud_identities_page **pages;
    size_t capacity;
};

void taud_identities_init(struct taud_identities *identities,
                          const struct taud_allocator *allocator);
void taud_identities_done(struct taud_identities *identities);

// Puts a series where its identity says, which nothing else has. Returns false when there is no
// memory.
bool taud_identities_add(struct taud_identities *identities, struct taud_series *series);

// Gives a series the next identity and puts it there, in one step: so no identity is passed over,
// and there are never more of them than records of creation. Returns false when there is no memory.
bool taud_identities_append(struct taud_identities *identities, struct taud_series *series,
                            _Atomic uint64_t *next_identity);

// Undoes that: the identity is given again, unless a later one was given meanwhile.
void taud_identities_take_back(struct taud_identities *identities, uint64_t identity,
                               _Atomic uint64_t *next_identity);

// Nothing where there is none.
void taud_identities_remove(struct taud_identities *identities, uint64_t identity);

// The series; NULL when there is none. Without a lock of its own: only before there are threads.
struct taud_series *taud_identities_get(const struct taud_identities *identities,
                                        uint64_t identity);

// The hash of the label of the first series whose identity is `from` or above; its shard is known
// by it, and whether the series is still there is seen under that shard's lock. Returns false when
// there is none.
bool taud_identities_next(struct taud_identities *identities, uint64_t from, uint64_t *ret_identity,
                          uint64_t *ret_hash);

// With the lock of the series' shard: the series, NULL when it is gone.
struct taud_series *taud_identities_find(struct taud_identities *identities, uint64_t identity);

#endif
