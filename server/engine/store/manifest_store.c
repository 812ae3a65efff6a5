// SPDX-License-Identifier: MIT
// The order of things: a manifest is stored after all that it names, the root names it after that,
// and only then may go what the one before named. So at any moment the root names a manifest of
// which everything is there. It must not know what is in segments or catalogs.
#include "manifest_store.h"
#include "segment.h"

#include <stdio.h>
#include <string.h>

void taud_manifest_object_name(uint64_t number, char out[TAUD_NUMBER_NAME_BYTES])
{
    snprintf(out, TAUD_NUMBER_NAME_BYTES, TAUD_MANIFESTS_FOLDER "/%016llx.man",
             (unsigned long long)number);
}

void taud_catalog_object_name(uint64_t number, char out[TAUD_NUMBER_NAME_BYTES])
{
    snprintf(out, TAUD_NUMBER_NAME_BYTES, TAUD_CATALOGS_FOLDER "/%016llx.cat",
             (unsigned long long)number);
}

typedef void object_name(uint64_t number, char out[TAUD_NUMBER_NAME_BYTES]);

// The number of a name without its folder; 0 where `write_name` writes no such name.
static uint64_t parse_number(const char *text, object_name *write_name)
{
    unsigned long long number;
    char again[TAUD_NUMBER_NAME_BYTES];
    if (sscanf(text, "%16llx", &number) != 1)
        return 0;
    write_name(number, again);
    return strcmp(strchr(again, '/') + 1, text) == 0 ? number : 0;
}

uint64_t taud_manifest_object_number(const char *text)
{
    return parse_number(text, taud_manifest_object_name);
}

uint64_t taud_catalog_object_number(const char *text)
{
    return parse_number(text, taud_catalog_object_name);
}

struct taud_manifest_segment taud_manifest_segment_of(const struct taud_segment_facts *facts)
{
    return (struct taud_manifest_segment){
        .name = facts->name,
        .last_sequence = facts->last_sequence,
        .size = facts->size,
        .chunk_count = facts->chunk_count,
        .point_count = facts->point_count,
        .first_timestamp = facts->first_timestamp,
        .last_timestamp = facts->last_timestamp,
    };
}

// --- reading ----------------------------------------------------------------------------------

static enum tau_status refuse(enum tau_status status, uint64_t number,
                              enum taud_manifest_fault fault, struct taud_error *error)
{
    static const char *const words[] = {
        [TAUD_MANIFEST_NO_FAULT] = "cannot be read",
        [TAUD_MANIFEST_MISSING] = "is missing",
        [TAUD_MANIFEST_DAMAGED] = "is damaged",
        [TAUD_MANIFEST_FUTURE] = "is of a later format than this server knows; it was not touched",
    };
    char name[TAUD_NUMBER_NAME_BYTES];
    taud_manifest_object_name(number, name);
    if (status == TAU_STATUS_NO_MEMORY)
        return taud_error_set(error, status, 0, "no memory to read %s", name);
    return taud_error_set(error, status, 0, "%s %s", name, words[fault]);
}

static enum tau_status read_object(struct taud_backend *backend, struct taud_object *object,
                                   uint64_t number, struct taud_manifest *ret,
                                   enum taud_manifest_fault *ret_fault, struct taud_error *error)
{
    const struct taud_allocator *allocator = ret->allocator;
    size_t size = (size_t)backend->objects->size(object);
    uint8_t *bytes = allocator->allocate(allocator->context, size + 1);
    if (!bytes)
        return refuse(TAU_STATUS_NO_MEMORY, number, *ret_fault, error);
    enum tau_status status = backend->objects->read(object, bytes, size, 0, error);
    if (status == TAU_STATUS_SUCCESS) {
        status = taud_manifest_decode(bytes, size, ret, ret_fault);
        if (status == TAU_STATUS_SUCCESS && ret->number != number) {
            taud_manifest_done(ret);
            *ret_fault = TAUD_MANIFEST_DAMAGED;
            status = TAU_STATUS_INTERNAL_ERROR;
        }
        if (status != TAU_STATUS_SUCCESS)
            (void)!refuse(status, number, *ret_fault, error);
    }
    allocator->release(allocator->context, bytes);
    return status;
}

enum tau_status taud_manifest_read(struct taud_backend *backend, uint64_t number,
                                   struct taud_manifest *ret, enum taud_manifest_fault *ret_fault,
                                   struct taud_error *error)
{
    char name[TAUD_NUMBER_NAME_BYTES];
    struct taud_object *object;
    *ret_fault = TAUD_MANIFEST_NO_FAULT;
    taud_manifest_object_name(number, name);
    enum tau_status status = backend->objects->open(backend, name, &object, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (!object) {
        *ret_fault = TAUD_MANIFEST_MISSING;
        return refuse(TAU_STATUS_INTERNAL_ERROR, number, *ret_fault, error);
    }
    status = read_object(backend, object, number, ret, ret_fault, error);
    backend->objects->close(object);
    return status;
}

// --- finding the newest whole one -------------------------------------------------------------

// Whether an object of that size is there.
static enum tau_status check_object(struct taud_backend *backend, const char *name, uint64_t size,
                                    bool *all_there, struct taud_error *error)
{
    struct taud_object *object;
    enum tau_status status = backend->objects->open(backend, name, &object, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    *all_there = *all_there && object && backend->objects->size(object) == size;
    backend->objects->close(object);
    return status;
}

static enum tau_status check_objects(struct taud_backend *backend,
                                     const struct taud_manifest *manifest, bool *ret_all_there,
                                     struct taud_error *error)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    char name[TAUD_NUMBER_NAME_BYTES];
    *ret_all_there = true;
    for (uint32_t i = 0; i < manifest->segment_count && status == TAU_STATUS_SUCCESS; i++) {
        taud_segment_object_name(manifest->segments[i].name, name);
        status = check_object(backend, name, manifest->segments[i].size, ret_all_there, error);
    }
    for (uint32_t i = 0; i < manifest->catalog_count && status == TAU_STATUS_SUCCESS; i++) {
        taud_catalog_object_name(manifest->catalogs[i].number, name);
        status = check_object(backend, name, manifest->catalogs[i].size, ret_all_there, error);
    }
    return status;
}

struct newest {
    uint64_t below;  // only of these
    uint64_t number; // 0: there is none
    uint64_t count;  // of all objects
};

static enum tau_status consider_manifest(const char *text, void *user_data)
{
    struct newest *newest = user_data;
    uint64_t number = parse_number(text, taud_manifest_object_name);
    newest->count += number > 0;
    if (number > newest->number && number < newest->below)
        newest->number = number;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status count_object(const char *text, void *user_data)
{
    struct newest *newest = user_data;
    struct taud_segment_name name;
    newest->count +=
        taud_segment_parse_name(text, &name) || parse_number(text, taud_catalog_object_name) > 0;
    return TAU_STATUS_SUCCESS;
}

// Tries the manifests that are there from the newest on.
static enum tau_status find_newest(struct taud_backend *backend, struct taud_manifest *ret,
                                   struct taud_error *error)
{
    struct newest newest = {.below = UINT64_MAX};
    for (;;) {
        enum taud_manifest_fault fault;
        bool all_there = false;
        newest.number = 0;
        enum tau_status status = backend->objects->list(backend, TAUD_MANIFESTS_FOLDER,
                                                        consider_manifest, &newest, error);
        if (status != TAU_STATUS_SUCCESS || newest.number == 0)
            return status;
        status = taud_manifest_read(backend, newest.number, ret, &fault, error);
        if (status == TAU_STATUS_SUCCESS) {
            status = check_objects(backend, ret, &all_there, error);
            if (status == TAU_STATUS_SUCCESS && all_there)
                return status;
            taud_manifest_done(ret);
        } else if (fault == TAUD_MANIFEST_DAMAGED || fault == TAUD_MANIFEST_MISSING) {
            status = TAU_STATUS_SUCCESS;
        }
        if (status != TAU_STATUS_SUCCESS)
            return status;
        newest.below = newest.number;
    }
}

// Whether what is there proves that a root was written behind this one. A manifest is numbered one
// above the root's until the root names it.
static enum tau_status is_lost(struct taud_backend *backend, const struct taud_root *root,
                               bool *ret_lost, struct taud_error *error)
{
    const struct taud_objects_operations *objects = backend->objects;
    struct newest found = {.below = UINT64_MAX};
    enum tau_status status =
        objects->list(backend, TAUD_MANIFESTS_FOLDER, consider_manifest, &found, error);
    if (status == TAU_STATUS_SUCCESS && root->version == 0)
        status = objects->list(backend, TAUD_SEGMENTS_FOLDER, count_object, &found, error);
    if (status == TAU_STATUS_SUCCESS && root->version == 0)
        status = objects->list(backend, TAUD_CATALOGS_FOLDER, count_object, &found, error);
    *ret_lost = root->version == 0 ? found.count > 0 : found.number > root->manifest + 1;
    return status;
}

enum tau_status taud_manifest_find(struct taud_backend *backend, struct taud_root *root,
                                   struct taud_manifest *ret, bool *ret_lost,
                                   struct taud_error *error)
{
    bool lost = false;
    enum tau_status status = is_lost(backend, root, &lost, error);
    if (status == TAU_STATUS_SUCCESS && !lost && root->manifest != 0) {
        enum taud_manifest_fault fault;
        status = taud_manifest_read(backend, root->manifest, ret, &fault, error);
        lost = fault == TAUD_MANIFEST_DAMAGED || fault == TAUD_MANIFEST_MISSING;
        status = lost ? TAU_STATUS_SUCCESS : status;
    }
    if (status == TAU_STATUS_SUCCESS && lost)
        status = find_newest(backend, ret, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    root->manifest = ret->number;
    *ret_lost = lost;
    return TAU_STATUS_SUCCESS;
}

// --- what is left over ------------------------------------------------------------------------

struct search {
    const struct taud_manifest *manifest;
    taud_object_name_callback *callback;
    void *user_data;
};

static enum tau_status search_manifest(const char *text, void *user_data)
{
    const struct search *search = user_data;
    char name[TAUD_NUMBER_NAME_BYTES];
    uint64_t number = parse_number(text, taud_manifest_object_name);
    if (number == 0 || number == search->manifest->number)
        return TAU_STATUS_SUCCESS;
    taud_manifest_object_name(number, name);
    return search->callback(name, search->user_data);
}

static enum tau_status search_segment(const char *text, void *user_data)
{
    const struct search *search = user_data;
    char name[TAUD_SEGMENT_NAME_BYTES];
    struct taud_segment_name segment;
    if (!taud_segment_parse_name(text, &segment) ||
        taud_manifest_names_segment(search->manifest, segment))
        return TAU_STATUS_SUCCESS;
    taud_segment_object_name(segment, name);
    return search->callback(name, search->user_data);
}

static enum tau_status search_catalog(const char *text, void *user_data)
{
    const struct search *search = user_data;
    char name[TAUD_NUMBER_NAME_BYTES];
    uint64_t number = parse_number(text, taud_catalog_object_name);
    if (number == 0 || taud_manifest_names_catalog(search->manifest, number))
        return TAU_STATUS_SUCCESS;
    taud_catalog_object_name(number, name);
    return search->callback(name, search->user_data);
}

enum tau_status taud_manifest_list_others(struct taud_backend *backend,
                                          const struct taud_manifest *manifest,
                                          taud_object_name_callback *callback, void *user_data,
                                          struct taud_error *error)
{
    const struct taud_objects_operations *objects = backend->objects;
    struct search search = {manifest, callback, user_data};
    // Manifests first: none is ever there without what it names, but for the time of a sweep.
    enum tau_status status =
        objects->list(backend, TAUD_MANIFESTS_FOLDER, search_manifest, &search, error);
    if (status == TAU_STATUS_SUCCESS)
        status = objects->list(backend, TAUD_SEGMENTS_FOLDER, search_segment, &search, error);
    if (status == TAU_STATUS_SUCCESS)
        status = objects->list(backend, TAUD_CATALOGS_FOLDER, search_catalog, &search, error);
    return status;
}

struct sweep {
    struct taud_backend *backend;
    bool lost;
    struct taud_error *error;
};

static enum tau_status put_away(const char *name, void *user_data)
{
    const struct sweep *sweep = user_data;
    const struct taud_objects_operations *objects = sweep->backend->objects;
    return sweep->lost ? objects->quarantine(sweep->backend, name, sweep->error)
                       : objects->remove(sweep->backend, name, sweep->error);
}

enum tau_status taud_manifest_sweep(struct taud_backend *backend,
                                    const struct taud_manifest *manifest, bool lost,
                                    struct taud_error *error)
{
    struct sweep sweep = {backend, lost, error};
    return taud_manifest_list_others(backend, manifest, put_away, &sweep, error);
}

// --- committing -------------------------------------------------------------------------------

// That the next start will take the manifest for what it is: one that it did not would lose
// everything.
static enum tau_status read_again(const struct taud_allocator *allocator, const uint8_t *bytes,
                                  size_t size, const char *name, struct taud_error *error)
{
    struct taud_manifest again;
    enum taud_manifest_fault fault;
    taud_manifest_init(&again, allocator);
    enum tau_status status = taud_manifest_decode(bytes, size, &again, &fault);
    taud_manifest_done(&again);
    if (status == TAU_STATUS_SUCCESS)
        return status;
    return taud_error_set(error, status, 0,
                          status == TAU_STATUS_NO_MEMORY ? "no memory to write %s"
                                                         : "%s would contradict itself",
                          name);
}

static enum tau_status put_manifest(struct taud_backend *backend,
                                    const struct taud_manifest *manifest, const char *name,
                                    struct taud_error *error)
{
    const struct taud_allocator *allocator = manifest->allocator;
    size_t size = taud_manifest_size(manifest);
    uint8_t *bytes = allocator->allocate(allocator->context, size);
    if (!bytes)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory to write %s", name);
    taud_manifest_encode(manifest, bytes);
    enum tau_status status = read_again(allocator, bytes, size, name, error);
    if (status == TAU_STATUS_SUCCESS)
        status = backend->objects->put(backend, name, bytes, size, error);
    allocator->release(allocator->context, bytes);
    return status;
}

// What to say of a root that could not be written: the old one stands where it is still to be seen.
static enum tau_status judge_failure(struct taud_backend *backend, const struct taud_root *root,
                                     enum tau_status status, struct taud_error *error)
{
    struct taud_root present;
    if (taud_root_read(backend, &present, NULL) == TAU_STATUS_SUCCESS &&
        present.version == root->version)
        return status;
    if (error)
        error->status = TAU_STATUS_OUTCOME_UNKNOWN;
    return TAU_STATUS_OUTCOME_UNKNOWN;
}

enum tau_status taud_manifest_commit(struct taud_backend *backend, struct taud_root *root,
                                     struct taud_manifest *next, struct taud_error *error)
{
    char name[TAUD_NUMBER_NAME_BYTES], old[TAUD_NUMBER_NAME_BYTES];
    struct taud_root after = *root;
    after.manifest = next->number = root->manifest + 1;
    taud_manifest_object_name(next->number, name);
    taud_manifest_object_name(root->manifest, old);
    enum tau_status status = put_manifest(backend, next, name, error);
    if (status == TAU_STATUS_SUCCESS) {
        status = taud_root_write(backend, &after, error);
        if (status != TAU_STATUS_SUCCESS)
            status = judge_failure(backend, root, status, error);
    }
    if (status == TAU_STATUS_SUCCESS) {
        if (root->manifest != 0)
            (void)!backend->objects->remove(backend, old, NULL);
        *root = after;
    } else if (status != TAU_STATUS_OUTCOME_UNKNOWN) {
        (void)!backend->objects->remove(backend, name, NULL);
    }
    return status;
}
