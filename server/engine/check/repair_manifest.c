// SPDX-License-Identifier: MIT
// Which manifest counts. Where none can be read, one is made of what is there: the segments by what
// they say of themselves, and all catalog objects. The log then counts from its beginning; what it
// says of points that are in segments too changes nothing.
#include "inspector.h"
#include "repairer.h"

#include <stdio.h>
#include <string.h>

// --- copies -----------------------------------------------------------------------------------

// Keeps the damaged copy of the manifest that counts, if one is; the commit writes both anew.
static enum tau_status keep_copies(struct taud_repairer *repairer)
{
    struct taud_backend *backend = repairer->backend;
    const struct taud_allocator *allocator = repairer->options->allocator;
    struct taud_object *object;
    char name[TAUD_NUMBER_NAME_BYTES];
    bool intact[2] = {true, true};
    taud_manifest_object_name(repairer->manifest.number, name);
    enum tau_status status = backend->objects->open(backend, name, &object, repairer->error);
    if (status != TAU_STATUS_SUCCESS || !object)
        return status;
    size_t size = (size_t)backend->objects->size(object);
    uint8_t *bytes = allocator->allocate(allocator->context, size + 1);
    if (!bytes)
        status = taud_error_set(repairer->error, TAU_STATUS_NO_MEMORY, 0, "no memory to read %s",
                                name);
    else
        status = backend->objects->read(object, bytes, size, 0, repairer->error);
    if (status == TAU_STATUS_SUCCESS)
        taud_manifest_copies(bytes, size, intact);
    allocator->release(allocator->context, bytes);
    backend->objects->close(object);
    for (int i = 0; i < 2 && status == TAU_STATUS_SUCCESS; i++) {
        if (intact[i])
            continue;
        status = backend->objects->preserve(backend, name, i == 0 ? 0 : size / 2, size / 2,
                                            repairer->error);
        taud_repairer_tell(repairer, name, "written anew: one of its copies was damaged", "");
        repairer->changed = true;
    }
    return status;
}

// --- one made of what is there ----------------------------------------------------------------

struct gathering {
    struct taud_repairer *repairer;
    uint64_t last_manifest; // the highest number of those that are there
    enum tau_status status;
};

// Whether the manifest has a segment with some of these sequences.
static bool overlaps(const struct taud_manifest *manifest, const struct taud_segment_facts *facts)
{
    for (uint32_t i = 0; i < manifest->segment_count; i++) {
        const struct taud_manifest_segment *entry = &manifest->segments[i];
        if (facts->name.sequence <= entry->last_sequence &&
            facts->last_sequence >= entry->name.sequence)
            return true;
    }
    return false;
}

// Removes the segments of lower levels with some of these sequences: this one was made of them.
static void remove_lower(struct taud_manifest *manifest, const struct taud_segment_facts *facts)
{
    for (uint32_t i = 0; i < manifest->segment_count;) {
        const struct taud_manifest_segment entry = manifest->segments[i];
        if (entry.name.level < facts->name.level && facts->name.sequence <= entry.last_sequence &&
            facts->last_sequence >= entry.name.sequence)
            taud_manifest_remove_segment(manifest, entry.name);
        else
            i++;
    }
}

static enum tau_status add_segment(struct taud_repairer *repairer,
                                   const struct taud_segment *segment)
{
    const struct taud_segment_facts *facts = &segment->facts;
    struct taud_manifest *manifest = &repairer->manifest;
    const struct taud_manifest_segment entry = taud_manifest_segment_of(facts);
    remove_lower(manifest, facts);
    if (overlaps(manifest, facts)) // it went into one of these
        return TAU_STATUS_SUCCESS;
    if (facts->series_count > 0) {
        uint64_t last = segment->identities[facts->series_count - 1];
        if (last >= manifest->next_identity)
            manifest->next_identity = last + 1;
    }
    if (taud_manifest_add_segment(manifest, &entry))
        return TAU_STATUS_SUCCESS;
    return taud_error_set(repairer->error, TAU_STATUS_NO_MEMORY, 0, "no memory for a manifest");
}

static enum tau_status gather_segment(const char *text, void *user_data)
{
    struct taud_repairer *repairer = user_data;
    struct taud_segment_name name;
    struct taud_segment *segment;
    struct taud_segment_scan scan;
    enum taud_segment_fault fault;
    if (!taud_segment_parse_name(text, &name))
        return TAU_STATUS_SUCCESS;
    enum tau_status status = taud_segment_open(&repairer->store, repairer->codec, name, &segment,
                                               &fault, repairer->error);
    if (status == TAU_STATUS_INTERNAL_ERROR && fault == TAUD_SEGMENT_DAMAGED_INDEX)
        status = taud_segment_rebuild(&repairer->store, repairer->codec, name, &segment, &scan,
                                      &fault, repairer->error);
    if (status == TAU_STATUS_SUCCESS) {
        status = add_segment(repairer, segment);
        taud_segment_release(segment);
    } else if (fault == TAUD_SEGMENT_MISSING || fault == TAUD_SEGMENT_DAMAGED) {
        status = TAU_STATUS_SUCCESS; // it moves to quarantine with all that is not named
    }
    return status;
}

static enum tau_status gather_catalog(const char *text, void *user_data)
{
    struct taud_repairer *repairer = user_data;
    struct taud_backend *backend = repairer->backend;
    char name[TAUD_NUMBER_NAME_BYTES];
    struct taud_object *object;
    uint64_t number = taud_catalog_object_number(text);
    if (number == 0)
        return TAU_STATUS_SUCCESS;
    taud_catalog_object_name(number, name);
    enum tau_status status = backend->objects->open(backend, name, &object, repairer->error);
    if (status != TAU_STATUS_SUCCESS || !object)
        return status;
    const struct taud_manifest_catalog entry = {number, backend->objects->size(object)};
    backend->objects->close(object);
    if (taud_manifest_add_catalog(&repairer->manifest, &entry))
        return TAU_STATUS_SUCCESS;
    return taud_error_set(repairer->error, TAU_STATUS_NO_MEMORY, 0, "no memory for a manifest");
}

// What the damaged ones are moves to quarantine before one is written under such a number.
static enum tau_status put_aside(const char *text, void *user_data)
{
    struct taud_repairer *repairer = user_data;
    struct taud_backend *backend = repairer->backend;
    char name[TAUD_NUMBER_NAME_BYTES];
    uint64_t number = taud_manifest_object_number(text);
    if (number == 0 || number == repairer->manifest.number)
        return TAU_STATUS_SUCCESS;
    if (number > repairer->root.manifest)
        repairer->root.manifest = number;
    taud_manifest_object_name(number, name);
    return backend->objects->quarantine(backend, name, repairer->error);
}

static enum tau_status gather(struct taud_repairer *repairer)
{
    struct taud_backend *backend = repairer->backend;
    const struct taud_objects_operations *objects = backend->objects;
    enum tau_status status = objects->list(backend, TAUD_SEGMENTS_FOLDER, gather_segment, repairer,
                                           repairer->error);
    if (status == TAU_STATUS_SUCCESS)
        status = objects->list(backend, TAUD_CATALOGS_FOLDER, gather_catalog, repairer,
                               repairer->error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_log_beginning(backend, &repairer->manifest.flush_position, repairer->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    char what[160];
    snprintf(what, sizeof what, "made again of %u segments and %u catalog objects that are there",
             (unsigned)repairer->manifest.segment_count,
             (unsigned)repairer->manifest.catalog_count);
    taud_repairer_tell(repairer, TAUD_MANIFESTS_FOLDER, what,
                       "deletions of ranges that no compaction had applied yet");
    return status;
}

enum tau_status taud_repair_manifest(struct taud_repairer *repairer)
{
    struct taud_backend *backend = repairer->backend;
    struct taud_manifest *manifest = &repairer->manifest;
    enum tau_status status = taud_root_read(backend, &repairer->root, repairer->error);
    bool no_root = repairer->root.version == 0;
    uint64_t beginning = 0;
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_find(backend, &repairer->root, manifest, &repairer->lost,
                                    repairer->error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_log_beginning(backend, &beginning, repairer->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (no_root) {
        taud_repairer_tell(repairer, "catalog", "written anew", "");
        repairer->changed = true;
    }
    if (!repairer->lost)
        return manifest->number == 0 ? status : keep_copies(repairer);
    repairer->changed = true;
    // One from before the last flush does not do when the log of that is gone.
    if (manifest->number != 0 && beginning <= manifest->flush_position)
        status = keep_copies(repairer);
    else
        status = gather(repairer);
    if (status == TAU_STATUS_SUCCESS)
        status = backend->objects->list(backend, TAUD_MANIFESTS_FOLDER, put_aside, repairer,
                                        repairer->error);
    return status;
}
