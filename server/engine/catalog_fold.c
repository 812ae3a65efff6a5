// SPDX-License-Identifier: MIT
// Makes one catalog object of many, in two passes over their records: the first notes what was
// undone or said again later, the second copies what still counts. Records keep their order. It
// must not know which of the series there are now: what is made says the same as what it is made
// of.
#include "catalog_store.h"

#include "record.h"

#include <stdlib.h>
#include <string.h>

// That something was said of a series: where, or that it was dropped.
struct said_of_series {
    uint64_t identity;
    uint64_t place; // number of the record; DROPPED sorts behind all
};

#define DROPPED UINT64_MAX

// That a rule came or went, by its target.
struct said_of_rollup {
    struct said_of_series said; // first
    uint64_t source;            // of one that came
};

// That something was said of a lens.
struct said_of_lens {
    struct tau_label label;
    uint64_t place;
};

struct list {
    void *entries;
    size_t count, room, size; // size of an entry
};

struct fold {
    const struct taud_allocator *allocator;
    struct list series, lenses;
    struct list newest; // of what was ever in a series, likewise
    // Of a rule, by its target: that it came or went, and how far it is.
    struct list rollups, progress;
    uint64_t place;     // of the record that is looked at
    bool copying;
    struct taud_catalog_delta kept;
    struct taud_error *error;
};

static enum tau_status no_memory(struct fold *fold)
{
    return taud_error_set(fold->error, TAU_STATUS_NO_MEMORY, 0, "no memory to gather the catalog");
}

static bool add(struct fold *fold, struct list *list, const void *entry)
{
    const struct taud_allocator *allocator = fold->allocator;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 256;
        void *larger = allocator->allocate(allocator->context, room * list->size);
        if (!larger)
            return false;
        if (list->count > 0)
            memcpy(larger, list->entries, list->count * list->size);
        allocator->release(allocator->context, list->entries);
        list->entries = larger;
        list->room = room;
    }
    memcpy((uint8_t *)list->entries + list->count++ * list->size, entry, list->size);
    return true;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_series(const void *a, const void *b)
{
    const struct said_of_series *left = a, *right = b;
    int order = compare_numbers(left->identity, right->identity);
    return order != 0 ? order : compare_numbers(left->place, right->place);
}

static int compare_lenses(const void *a, const void *b)
{
    const struct said_of_lens *left = a, *right = b;
    int order = memcmp(&left->label, &right->label, sizeof left->label);
    return order != 0 ? order : compare_numbers(left->place, right->place);
}

static void sort(struct list *list, int (*compare)(const void *, const void *))
{
    if (list->count > 0)
        qsort(list->entries, list->count, list->size, compare);
}

static const struct said_of_series *entry_of(const struct list *list, size_t index)
{
    return (const struct said_of_series *)(const void *)((const uint8_t *)list->entries +
                                                         index * list->size);
}

// The last thing that was said of it; NULL when nothing was.
static const struct said_of_series *last_entry(const struct list *list, uint64_t identity)
{
    size_t low = 0, high = list->count; // of those behind it
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_of(list, middle)->identity <= identity)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && entry_of(list, low - 1)->identity == identity ? entry_of(list, low - 1)
                                                                    : NULL;
}

// Its place; 0 when there is none.
static uint64_t last_of_series(const struct list *list, uint64_t identity)
{
    const struct said_of_series *entry = last_entry(list, identity);
    return entry ? entry->place : 0;
}

// Whether the last that was said of a target is that it has a rule, and both series are there.
// *ret_place: where.
static bool has_rule(const struct fold *fold, uint64_t target, uint64_t *ret_place)
{
    const struct said_of_rollup *last =
        (const struct said_of_rollup *)(const void *)last_entry(&fold->rollups, target);
    if (!last || last->source == 0)
        return false;
    *ret_place = last->said.place;
    return last_of_series(&fold->series, target) != DROPPED &&
           last_of_series(&fold->series, last->source) != DROPPED;
}

static uint64_t last_of_lens(const struct fold *fold, const struct tau_label *label)
{
    const struct said_of_lens *entries = fold->lenses.entries;
    size_t low = 0, high = fold->lenses.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(&entries[middle].label, label, sizeof *label) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? entries[low - 1].place : 0; // it is there: each record of a lens was noted
}

static bool note(struct fold *fold, const struct taud_record *record)
{
    struct said_of_series series = {record->identity, fold->place};
    struct said_of_rollup rollup = {series, record->rollup.source};
    struct said_of_lens lens = {record->label, fold->place};
    switch (record->type) {
    case TAUD_RECORD_DROP_SERIES:
        series.place = DROPPED;
        return add(fold, &fold->series, &series);
    case TAUD_RECORD_POLICY:
        return add(fold, &fold->series, &series);
    case TAUD_RECORD_NEWEST:
        return add(fold, &fold->newest, &series);
    case TAUD_RECORD_CREATE_LENS:
    case TAUD_RECORD_DROP_LENS:
        return add(fold, &fold->lenses, &lens);
    case TAUD_RECORD_CREATE_ROLLUP:
    case TAUD_RECORD_DROP_ROLLUP:
        rollup.said.identity = record->rollup.target;
        return add(fold, &fold->rollups, &rollup);
    case TAUD_RECORD_ROLLUP_PROGRESS:
        return add(fold, &fold->progress, &series);
    default:
        return true;
    }
}

static bool counts(const struct fold *fold, const struct taud_record *record)
{
    uint64_t place;
    switch (record->type) {
    case TAUD_RECORD_CREATE_SERIES:
        return last_of_series(&fold->series, record->identity) != DROPPED;
    case TAUD_RECORD_POLICY:
        return last_of_series(&fold->series, record->identity) == fold->place;
    case TAUD_RECORD_NEWEST:
        return last_of_series(&fold->newest, record->identity) == fold->place &&
               last_of_series(&fold->series, record->identity) != DROPPED;
    case TAUD_RECORD_CREATE_LENS:
        return last_of_lens(fold, &record->label) == fold->place;
    case TAUD_RECORD_CREATE_ROLLUP:
        return has_rule(fold, record->rollup.target, &place) && place == fold->place;
    case TAUD_RECORD_ROLLUP_PROGRESS:
        return last_of_series(&fold->progress, record->identity) == fold->place &&
               has_rule(fold, record->identity, &place) && place < fold->place;
    default:
        return false;
    }
}

static enum tau_status take_records(const uint8_t *records, size_t size, void *user_data)
{
    struct fold *fold = user_data;
    while (size > 0) {
        struct taud_record record;
        const uint8_t *start = records;
        if (!taud_record_decode(&records, &size, &record))
            return taud_error_set(fold->error, TAU_STATUS_INTERNAL_ERROR, 0,
                                  "a record of the catalog cannot be read");
        fold->place++;
        bool taken = true;
        if (!fold->copying)
            taken = note(fold, &record);
        else if (counts(fold, &record))
            taken = taud_catalog_delta_add(&fold->kept, start, (size_t)(records - start));
        if (!taken)
            return no_memory(fold);
    }
    return TAU_STATUS_SUCCESS;
}

static enum tau_status pass(struct fold *fold, const struct taud_store *store,
                            const struct taud_manifest_catalog *objects, uint32_t count,
                            const struct taud_catalog_block *blocks)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    enum taud_catalog_fault fault;
    fold->place = 0;
    for (uint32_t i = 0; i < count && status == TAU_STATUS_SUCCESS; i++)
        status = taud_catalog_read(store, &objects[i], take_records, fold, &fault, fold->error);
    for (; blocks && status == TAU_STATUS_SUCCESS; blocks = blocks->next)
        status = take_records(blocks->bytes, blocks->used, fold);
    return status;
}

enum tau_status taud_catalog_fold(const struct taud_store *store,
                                  const struct taud_manifest_catalog *objects, uint32_t count,
                                  const struct taud_catalog_block *blocks,
                                  struct taud_catalog_block **ret_blocks, struct taud_error *error)
{
    const struct taud_allocator *allocator = store->allocator;
    struct fold fold = {.allocator = allocator,
                        .series.size = sizeof(struct said_of_series),
                        .newest.size = sizeof(struct said_of_series),
                        .rollups.size = sizeof(struct said_of_rollup),
                        .progress.size = sizeof(struct said_of_series),
                        .lenses.size = sizeof(struct said_of_lens),
                        .error = error};
    taud_catalog_delta_init(&fold.kept, allocator, UINT64_MAX);
    enum tau_status status = pass(&fold, store, objects, count, blocks);
    if (status == TAU_STATUS_SUCCESS) {
        sort(&fold.series, compare_series);
        sort(&fold.newest, compare_series);
        sort(&fold.rollups, compare_series);
        sort(&fold.progress, compare_series);
        sort(&fold.lenses, compare_lenses);
        fold.copying = true;
        status = pass(&fold, store, objects, count, blocks);
    }
    if (status == TAU_STATUS_SUCCESS)
        *ret_blocks = taud_catalog_delta_take(&fold.kept);
    taud_catalog_delta_done(&fold.kept);
    allocator->release(allocator->context, fold.series.entries);
    allocator->release(allocator->context, fold.newest.entries);
    allocator->release(allocator->context, fold.rollups.entries);
    allocator->release(allocator->context, fold.progress.entries);
    allocator->release(allocator->context, fold.lenses.entries);
    return status;
}
