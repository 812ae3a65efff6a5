// SPDX-License-Identifier: MIT
// When a catalog object is damaged, what is good of all of them becomes one new object. A series of
// which only points are left gets a label that says its identity, so that they can be read and are
// no garbage.
#include "repairer.h"

#include "../record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct identities {
    uint64_t *items;
    size_t count, room;
};

struct catalog_repair {
    struct taud_repairer *repairer;
    struct taud_catalog_delta delta; // what is good, in its order
    struct identities named;         // created or dropped by what is good
    uint64_t nameless;
    bool damaged;
};

static enum tau_status no_memory(struct catalog_repair *repair)
{
    return taud_error_set(repair->repairer->error, TAU_STATUS_NO_MEMORY, 0,
                          "no memory to repair the catalog");
}

// --- identities -------------------------------------------------------------------------------

static bool add_identity(struct catalog_repair *repair, uint64_t identity)
{
    const struct taud_allocator *allocator = repair->repairer->options->allocator;
    struct identities *named = &repair->named;
    if (named->count == named->room) {
        size_t room = named->room == 0 ? 1024 : named->room * 2;
        uint64_t *items = allocator->allocate(allocator->context, room * sizeof *items);
        if (!items)
            return false;
        if (named->count > 0)
            memcpy(items, named->items, named->count * sizeof *items);
        allocator->release(allocator->context, named->items);
        named->items = items;
        named->room = room;
    }
    named->items[named->count++] = identity;
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

static bool is_named(const struct identities *named, uint64_t identity)
{
    return named->count > 0 && bsearch(&identity, named->items, named->count,
                                       sizeof *named->items, compare) != NULL;
}

// --- what is good -----------------------------------------------------------------------------

static enum tau_status take_records(const uint8_t *records, size_t size, void *user_data)
{
    struct catalog_repair *repair = user_data;
    while (size > 0) {
        struct taud_record record;
        const uint8_t *bytes = records;
        if (!taud_record_decode(&records, &size, &record))
            return taud_error_set(repair->repairer->error, TAU_STATUS_INTERNAL_ERROR, 0,
                                  "the catalog has a record of type %u: a later version wrote it",
                                  bytes[0]);
        if (!taud_catalog_delta_add(&repair->delta, bytes, (size_t)(records - bytes)))
            return no_memory(repair);
        bool names = record.type == TAUD_RECORD_CREATE_SERIES ||
                     record.type == TAUD_RECORD_DROP_SERIES;
        if (names && !add_identity(repair, record.identity))
            return no_memory(repair);
        if (names && record.identity >= repair->repairer->manifest.next_identity)
            repair->repairer->manifest.next_identity = record.identity + 1;
    }
    return TAU_STATUS_SUCCESS;
}

static enum tau_status read_object(struct catalog_repair *repair,
                                   const struct taud_manifest_catalog *entry)
{
    struct taud_repairer *repairer = repair->repairer;
    enum taud_catalog_fault fault;
    char name[TAUD_NUMBER_NAME_BYTES];
    enum tau_status status = taud_catalog_read(&repairer->store, entry, take_records, repair,
                                               &fault, repairer->error);
    bool bad = fault == TAUD_CATALOG_MISSING || fault == TAUD_CATALOG_DAMAGED;
    if (status == TAU_STATUS_SUCCESS || !bad)
        return status;
    taud_catalog_object_name(entry->number, name);
    taud_repairer_tell(repairer, name,
                       fault == TAUD_CATALOG_MISSING ? "it is missing"
                                                     : "what is good of it is in a new object; "
                                                       "moved to quarantine",
                       "the labels, policies and lenses that only it held");
    repair->damaged = true;
    return fault == TAUD_CATALOG_DAMAGED ? taud_repairer_remove(repairer, name, true)
                                         : TAU_STATUS_SUCCESS;
}

// --- series without a name --------------------------------------------------------------------

static enum tau_status name_series(struct catalog_repair *repair, uint64_t identity)
{
    uint8_t record[TAUD_RECORD_CREATE_SERIES_BYTES + 1] = {0};
    taud_record_header(record, TAUD_RECORD_CREATE_SERIES, 0, 0);
    taud_store_u64(record + 8, identity);
    snprintf((char *)record + 16, 33, "lost.%016llx", (unsigned long long)identity);
    repair->nameless++;
    return taud_catalog_delta_add(&repair->delta, record, TAUD_RECORD_CREATE_SERIES_BYTES) &&
                   add_identity(repair, identity)
               ? TAU_STATUS_SUCCESS
               : no_memory(repair);
}

static enum tau_status name_those_of(struct catalog_repair *repair,
                                     const struct taud_segment *segment)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    size_t known = repair->named.count;
    struct identities sorted = {.count = known};
    for (uint32_t i = 0; i < segment->facts.series_count && status == TAU_STATUS_SUCCESS; i++) {
        sorted.items = repair->named.items; // those that are added stand behind
        if (!is_named(&sorted, segment->identities[i]))
            status = name_series(repair, segment->identities[i]);
    }
    if (repair->named.count > known)
        qsort(repair->named.items, repair->named.count, sizeof *repair->named.items, compare);
    return status;
}

static enum tau_status name_all(struct catalog_repair *repair)
{
    struct taud_repairer *repairer = repair->repairer;
    const struct taud_manifest *manifest = &repairer->manifest;
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (repair->named.count > 0)
        qsort(repair->named.items, repair->named.count, sizeof *repair->named.items, compare);
    for (uint32_t i = 0; i < manifest->segment_count && status == TAU_STATUS_SUCCESS; i++) {
        struct taud_segment *segment;
        enum taud_segment_fault fault;
        status = taud_segment_open(&repairer->store, repairer->codec, manifest->segments[i].name,
                                   &segment, &fault, repairer->error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        status = name_those_of(repair, segment);
        taud_segment_release(segment);
    }
    return status;
}

// --- the new object ---------------------------------------------------------------------------

static enum tau_status write_anew(struct catalog_repair *repair)
{
    struct taud_repairer *repairer = repair->repairer;
    struct taud_manifest *manifest = &repairer->manifest;
    struct taud_manifest_catalog entry;
    char name[TAUD_NUMBER_NAME_BYTES], what[120];
    struct taud_catalog_block *blocks = taud_catalog_delta_take(&repair->delta);
    enum tau_status status = taud_catalog_write(&repairer->store, manifest->next_catalog, blocks,
                                                &entry, repairer->error);
    taud_catalog_blocks_free(repairer->options->allocator, blocks);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    while (manifest->catalog_count > 0)
        taud_manifest_remove_catalog(manifest, manifest->catalogs[0].number);
    if (!taud_manifest_add_catalog(manifest, &entry))
        return no_memory(repair);
    taud_catalog_object_name(entry.number, name);
    snprintf(what, sizeof what,
             "written with what is good of the catalog; %llu series are labelled lost.IDENTITY",
             (unsigned long long)repair->nameless);
    taud_repairer_tell(repairer, name, what, "");
    repairer->changed = true;
    return status;
}

// Those that are good go, as all that they say is in the new one.
static enum tau_status remove_good(struct catalog_repair *repair, uint64_t number)
{
    char name[TAUD_NUMBER_NAME_BYTES];
    taud_catalog_object_name(number, name);
    for (const struct taud_repair_removal *removal = repair->repairer->removals; removal;
         removal = removal->next) {
        if (strcmp(removal->name, name) == 0)
            return TAU_STATUS_SUCCESS;
    }
    return taud_repairer_remove(repair->repairer, name, false);
}

static enum tau_status read_all(struct catalog_repair *repair)
{
    const struct taud_manifest *manifest = &repair->repairer->manifest;
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < manifest->catalog_count && status == TAU_STATUS_SUCCESS; i++)
        status = read_object(repair, &manifest->catalogs[i]);
    if (status != TAU_STATUS_SUCCESS || !repair->damaged)
        return status;
    for (uint32_t i = 0; i < manifest->catalog_count && status == TAU_STATUS_SUCCESS; i++)
        status = remove_good(repair, manifest->catalogs[i].number);
    if (status == TAU_STATUS_SUCCESS)
        status = name_all(repair);
    return status == TAU_STATUS_SUCCESS ? write_anew(repair) : status;
}

enum tau_status taud_repair_catalog(struct taud_repairer *repairer)
{
    const struct taud_allocator *allocator = repairer->options->allocator;
    struct catalog_repair repair = {.repairer = repairer};
    taud_catalog_delta_init(&repair.delta, allocator, UINT64_MAX);
    enum tau_status status = read_all(&repair);
    taud_catalog_delta_done(&repair.delta);
    allocator->release(allocator->context, repair.named.items);
    return status;
}
