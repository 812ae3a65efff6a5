// SPDX-License-Identifier: MIT
// A snapshot is a storage of its own within the storage: all that the manifest names has a second
// place there, by links, the manifest too, and the record by which a start finds it comes last. Its
// log is empty: the manifest says everything up to its flush position. So what was begun and not
// finished is not yet a snapshot, and is begun anew under the same name. It must not know files.
#include "state.h"

static enum tau_status link_all(struct taud_backend *backend, const struct taud_manifest *manifest,
                                const char *directory, struct taud_error *error)
{
    const struct taud_objects_operations *objects = backend->objects;
    enum tau_status status = TAU_STATUS_SUCCESS;
    char segment[TAUD_SEGMENT_NAME_BYTES], name[TAUD_NUMBER_NAME_BYTES];
    for (uint32_t i = 0; i < manifest->segment_count && status == TAU_STATUS_SUCCESS; i++) {
        taud_segment_object_name(manifest->segments[i].name, segment);
        status = objects->link(backend, segment, directory, error);
    }
    for (uint32_t i = 0; i < manifest->catalog_count && status == TAU_STATUS_SUCCESS; i++) {
        taud_catalog_object_name(manifest->catalogs[i].number, name);
        status = objects->link(backend, name, directory, error);
    }
    if (status == TAU_STATUS_SUCCESS && manifest->number != 0) {
        taud_manifest_object_name(manifest->number, name);
        status = objects->link(backend, name, directory, error);
    }
    return status;
}

// Whether there is a snapshot already; what is left of one that was never finished goes.
static enum tau_status clear(struct taud_backend *copy, const struct taud_allocator *allocator,
                             struct taud_root *ret_root, struct taud_error *error)
{
    struct taud_manifest nothing;
    enum tau_status status = taud_root_read(copy, ret_root, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (ret_root->version != 0)
        return taud_error_set(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                              "there is a snapshot of that name");
    taud_manifest_init(&nothing, allocator);
    return taud_manifest_sweep(copy, &nothing, false, error);
}

static enum tau_status fill(struct taud_engine *engine, struct taud_backend *copy,
                            const char *directory, struct taud_error *error)
{
    const struct taud_manifest *manifest = &engine->storage.manifest;
    struct taud_root root;
    enum tau_status status = clear(copy, engine->allocator, &root, error);
    if (status == TAU_STATUS_SUCCESS)
        status = link_all(engine->backend, manifest, directory, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    root.epoch = engine->root.epoch;
    root.known_position = manifest->flush_position;
    root.manifest = manifest->number;
    return taud_root_write(copy, &root, error);
}

enum tau_status taud_snapshot_copy(struct taud_engine *engine, const char *name,
                                   struct taud_error *error)
{
    struct taud_backend *copy;
    const char *directory;
    enum tau_status status =
        engine->backend->snapshot(engine->backend, name, &copy, &directory, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = copy->open(copy, error);
    if (status == TAU_STATUS_SUCCESS) {
        status = fill(engine, copy, directory, error);
        copy->close(copy);
    }
    copy->free(copy);
    return status;
}
