// SPDX-License-Identifier: MIT
// What cannot be read of a catalog object is passed over: a check tells of that elsewhere. Of two
// labels for one identity, which no server writes, either may be told.
#include "names.h"

#include "../catalog_store.h"
#include "../record.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

void taud_series_names_init(struct taud_series_names *names, const struct taud_store *store,
                            const struct taud_manifest *manifest)
{
    *names = (struct taud_series_names){.store = store, .manifest = manifest};
}

void taud_series_names_done(struct taud_series_names *names)
{
    const struct taud_allocator *allocator = names->store->allocator;
    allocator->release(allocator->context, names->items);
}

static enum tau_status grow(struct taud_series_names *names)
{
    const struct taud_allocator *allocator = names->store->allocator;
    size_t room = names->room == 0 ? FIRST_ROOM : names->room * 2;
    struct taud_series_name *items = allocator->allocate(allocator->context, room * sizeof *items);
    if (!items)
        return TAU_STATUS_NO_MEMORY;
    if (names->count > 0)
        memcpy(items, names->items, names->count * sizeof *items);
    allocator->release(allocator->context, names->items);
    names->items = items;
    names->room = room;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status take_records(const uint8_t *records, size_t size, void *user_data)
{
    struct taud_series_names *names = user_data;
    struct taud_record record;
    while (taud_record_decode(&records, &size, &record)) {
        if (record.type != TAUD_RECORD_CREATE_SERIES)
            continue;
        if (names->count == names->room && grow(names) != TAU_STATUS_SUCCESS)
            return TAU_STATUS_NO_MEMORY;
        names->items[names->count++] =
            (struct taud_series_name){.identity = record.identity, .label = record.label};
    }
    return TAU_STATUS_SUCCESS;
}

static int compare(const void *a, const void *b)
{
    const struct taud_series_name *left = a, *right = b;
    return (left->identity > right->identity) - (left->identity < right->identity);
}

static void read_all(struct taud_series_names *names)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < names->manifest->catalog_count && status != TAU_STATUS_NO_MEMORY;
         i++) {
        enum taud_catalog_fault fault;
        status = taud_catalog_read(names->store, &names->manifest->catalogs[i], take_records, names,
                                   &fault, NULL);
    }
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, compare);
}

const struct tau_label *taud_series_names_find(struct taud_series_names *names, uint64_t identity)
{
    if (!names->read)
        read_all(names);
    names->read = true;
    const struct taud_series_name wanted = {.identity = identity};
    const struct taud_series_name *found = NULL;
    if (names->count > 0)
        found = bsearch(&wanted, names->items, names->count, sizeof *names->items, compare);
    return found ? &found->label : NULL;
}
