// SPDX-License-Identifier: MIT
// Pages of addresses below one array of pages. Whoever holds the mutex may look at every series
// that it finds: a series is taken out before its memory goes. It must not know how series end.
#include "identities.h"

#include <string.h>

enum {
    PAGES_AT_FIRST = 64,
    PAGES_MAX = 1 << 26, // far more series than can have been
};

struct taud_identities_page {
    uint32_t used;
    struct taud_series *series[TAUD_IDENTITIES_PAGE];
};

void taud_identities_init(struct taud_identities *identities,
                          const struct taud_allocator *allocator)
{
    *identities = (struct taud_identities){.allocator = allocator};
    pthread_mutex_init(&identities->mutex, NULL);
}

void taud_identities_done(struct taud_identities *identities)
{
    const struct taud_allocator *allocator = identities->allocator;
    for (size_t i = 0; i < identities->capacity; i++)
        allocator->release(allocator->context, identities->pages[i]);
    allocator->release(allocator->context, (void *)identities->pages);
    pthread_mutex_destroy(&identities->mutex);
}

struct taud_series *taud_identities_get(const struct taud_identities *identities, uint64_t identity)
{
    uint64_t number = identity / TAUD_IDENTITIES_PAGE;
    if (number >= identities->capacity || !identities->pages[number])
        return NULL;
    return identities->pages[number]->series[identity % TAUD_IDENTITIES_PAGE];
}

// Makes the array hold a page of this number.
static bool grow(struct taud_identities *identities, uint64_t number)
{
    const struct taud_allocator *allocator = identities->allocator;
    size_t capacity = identities->capacity ? identities->capacity : PAGES_AT_FIRST;
    if (number >= PAGES_MAX)
        return false;
    while (capacity <= number)
        capacity *= 2;
    struct taud_identities_page **pages =
        allocator->allocate(allocator->context, capacity * sizeof(void *));
    if (!pages)
        return false;
    memset((void *)pages, 0, capacity * sizeof(void *));
    if (identities->capacity > 0)
        memcpy((void *)pages, (void *)identities->pages, identities->capacity * sizeof(void *));
    allocator->release(allocator->context, (void *)identities->pages);
    identities->pages = pages;
    identities->capacity = capacity;
    return true;
}

static struct taud_identities_page *new_page(const struct taud_allocator *allocator)
{
    struct taud_identities_page *page = allocator->allocate(allocator->context, sizeof *page);
    if (page)
        memset(page, 0, sizeof *page);
    return page;
}

// Makes the page of an identity. With the mutex.
static struct taud_identities_page *page_for(struct taud_identities *identities, uint64_t identity)
{
    uint64_t number = identity / TAUD_IDENTITIES_PAGE;
    if (number >= identities->capacity && !grow(identities, number))
        return NULL;
    if (!identities->pages[number])
        identities->pages[number] = new_page(identities->allocator);
    return identities->pages[number];
}

static bool put(struct taud_identities *identities, struct taud_series *series, uint64_t identity)
{
    struct taud_identities_page *page = page_for(identities, identity);
    if (!page)
        return false;
    series->identity = identity;
    page->series[identity % TAUD_IDENTITIES_PAGE] = series;
    page->used++;
    return true;
}

bool taud_identities_add(struct taud_identities *identities, struct taud_series *series)
{
    pthread_mutex_lock(&identities->mutex);
    bool added = put(identities, series, series->identity);
    pthread_mutex_unlock(&identities->mutex);
    return added;
}

bool taud_identities_append(struct taud_identities *identities, struct taud_series *series,
                            _Atomic uint64_t *next_identity)
{
    pthread_mutex_lock(&identities->mutex);
    uint64_t identity = atomic_load(next_identity);
    bool added = put(identities, series, identity);
    if (added)
        atomic_store(next_identity, identity + 1);
    pthread_mutex_unlock(&identities->mutex);
    return added;
}

// Empties a place. Returns a page that nothing is in any more, or NULL. With the mutex.
static struct taud_identities_page *clear(struct taud_identities *identities, uint64_t identity)
{
    if (!taud_identities_get(identities, identity))
        return NULL;
    struct taud_identities_page **place = &identities->pages[identity / TAUD_IDENTITIES_PAGE];
    struct taud_identities_page *page = *place;
    page->series[identity % TAUD_IDENTITIES_PAGE] = NULL;
    if (--page->used > 0)
        return NULL;
    *place = NULL;
    return page;
}

void taud_identities_take_back(struct taud_identities *identities, uint64_t identity,
                               _Atomic uint64_t *next_identity)
{
    const struct taud_allocator *allocator = identities->allocator;
    pthread_mutex_lock(&identities->mutex);
    struct taud_identities_page *empty = clear(identities, identity);
    if (atomic_load(next_identity) == identity + 1)
        atomic_store(next_identity, identity);
    pthread_mutex_unlock(&identities->mutex);
    allocator->release(allocator->context, empty);
}

void taud_identities_remove(struct taud_identities *identities, uint64_t identity)
{
    const struct taud_allocator *allocator = identities->allocator;
    pthread_mutex_lock(&identities->mutex);
    struct taud_identities_page *empty = clear(identities, identity);
    pthread_mutex_unlock(&identities->mutex);
    allocator->release(allocator->context, empty);
}

// The first series of a page from place `from` on; NULL when there is none.
static const struct taud_series *first_of(const struct taud_identities_page *page, size_t from)
{
    for (size_t i = from; i < TAUD_IDENTITIES_PAGE; i++) {
        if (page->series[i])
            return page->series[i];
    }
    return NULL;
}

bool taud_identities_next(struct taud_identities *identities, uint64_t from, uint64_t *ret_identity,
                          uint64_t *ret_hash)
{
    const struct taud_series *found = NULL;
    size_t place = from % TAUD_IDENTITIES_PAGE;
    pthread_mutex_lock(&identities->mutex);
    for (uint64_t number = from / TAUD_IDENTITIES_PAGE; number < identities->capacity && !found;
         number++, place = 0) {
        if (identities->pages[number])
            found = first_of(identities->pages[number], place);
    }
    if (found) {
        *ret_identity = found->identity;
        *ret_hash = found->named.hash;
    }
    pthread_mutex_unlock(&identities->mutex);
    return found != NULL;
}

struct taud_series *taud_identities_find(struct taud_identities *identities, uint64_t identity)
{
    pthread_mutex_lock(&identities->mutex);
    struct taud_series *series = taud_identities_get(identities, identity);
    pthread_mutex_unlock(&identities->mutex);
    return series;
}
