// SPDX-License-Identifier: MIT
// The order of a check: the root, the manifests, what the manifest names, the log behind the flush
// position, what is left over. Where the root or the manifest is lost, what a start would take
// instead is checked.
#include "inspector.h"

#include <stdio.h>
#include <string.h>

enum { PROGRESS_BYTES = 1 << 20 };

void taud_inspector_tell(struct taud_inspector *inspector, struct taud_finding finding)
{
    if (finding.kind == TAUD_FINDING_DAMAGED && finding.loss[0] != '\0')
        finding.kind = TAUD_FINDING_LOST;
    inspector->report->findings[finding.kind]++;
    inspector->options->finding(&finding, inspector->options->user_data);
}

void taud_inspector_advance(struct taud_inspector *inspector, uint64_t bytes)
{
    const struct taud_check_options *options = inspector->options;
    uint64_t before = inspector->done_bytes;
    inspector->done_bytes += bytes;
    if (inspector->total_bytes < inspector->done_bytes)
        inspector->total_bytes = inspector->done_bytes;
    if (options->progress && before / PROGRESS_BYTES != inspector->done_bytes / PROGRESS_BYTES)
        options->progress(inspector->done_bytes, inspector->total_bytes, options->user_data);
}

static void tell(struct taud_inspector *inspector, enum taud_finding_kind kind, const char *place,
                 const char *problem, const char *loss)
{
    taud_inspector_tell(inspector, (struct taud_finding){kind, place, 0, 0, problem, loss, NULL});
}

// --- manifests --------------------------------------------------------------------------------

// Reads an object whole; *ret_bytes is NULL when there is none. From the allocator.
static enum tau_status read_whole(struct taud_inspector *inspector, const char *name,
                                  uint8_t **ret_bytes, size_t *ret_size)
{
    struct taud_backend *backend = inspector->options->backend;
    const struct taud_allocator *allocator = inspector->store.allocator;
    struct taud_object *object;
    *ret_bytes = NULL;
    enum tau_status status = backend->objects->open(backend, name, &object, inspector->error);
    if (status != TAU_STATUS_SUCCESS || !object)
        return status;
    *ret_size = (size_t)backend->objects->size(object);
    *ret_bytes = allocator->allocate(allocator->context, *ret_size + 1);
    if (!*ret_bytes)
        status = taud_error_set(inspector->error, TAU_STATUS_NO_MEMORY, 0, "no memory to read %s",
                                name);
    else
        status = backend->objects->read(object, *ret_bytes, *ret_size, 0, inspector->error);
    backend->objects->close(object);
    if (status != TAU_STATUS_SUCCESS) {
        allocator->release(allocator->context, *ret_bytes);
        *ret_bytes = NULL;
    }
    return status;
}

// Both copies of the manifest that counts.
static enum tau_status check_copies(struct taud_inspector *inspector, uint64_t number)
{
    char name[TAUD_NUMBER_NAME_BYTES];
    uint8_t *bytes;
    size_t size = 0;
    bool intact[2] = {true, true};
    taud_manifest_object_name(number, name);
    enum tau_status status = read_whole(inspector, name, &bytes, &size);
    if (status != TAU_STATUS_SUCCESS || !bytes)
        return status;
    taud_manifest_copies(bytes, size, intact);
    inspector->store.allocator->release(inspector->store.allocator->context, bytes);
    for (int i = 0; i < 2; i++) {
        struct taud_finding finding = {TAUD_FINDING_DAMAGED,
                                       name,
                                       i == 0 ? 0 : size / 2,
                                       size / 2,
                                       "one of its two copies is damaged",
                                       "",
                                       NULL};
        if (!intact[i])
            taud_inspector_tell(inspector, finding);
    }
    return status;
}

// What the root names cannot be read, or the root is not there or an old one.
static void tell_lost(struct taud_inspector *inspector, const struct taud_root *root,
                      const struct taud_manifest *manifest)
{
    char name[TAUD_NUMBER_NAME_BYTES], problem[160];
    taud_manifest_object_name(root->manifest, name);
    snprintf(problem, sizeof problem,
             "which manifest counts is lost: a start takes number %llu, the newest one whose "
             "objects are all there",
             (unsigned long long)manifest->number);
    bool named = root->manifest != 0;
    tell(inspector, TAUD_FINDING_DAMAGED, named ? name : "catalog",
         manifest->number != 0 ? problem : "no manifest is whole: nothing says what is stored",
         manifest->number != 0 ? "" : "every segment, until a repair makes the manifest again");
}

// --- what the manifest names ------------------------------------------------------------------

static enum tau_status check_named(struct taud_inspector *inspector,
                                   const struct taud_manifest *manifest)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < manifest->segment_count; i++)
        inspector->total_bytes += manifest->segments[i].size;
    for (uint32_t i = 0; i < manifest->catalog_count; i++)
        inspector->total_bytes += manifest->catalogs[i].size;
    for (uint32_t i = 0; i < manifest->catalog_count && status == TAU_STATUS_SUCCESS; i++)
        status = taud_check_catalog(inspector, &manifest->catalogs[i]);
    for (uint32_t i = 0; i < manifest->segment_count && status == TAU_STATUS_SUCCESS; i++)
        status = taud_check_segment(inspector, &manifest->segments[i]);
    return status;
}

// --- what is left over ------------------------------------------------------------------------

struct leftovers {
    struct taud_inspector *inspector;
    const char *folder, *problem;
};

static enum tau_status tell_other(const char *name, void *user_data)
{
    const struct leftovers *leftovers = user_data;
    char place[TAUD_OBJECT_NAME_MAX + 1];
    snprintf(place, sizeof place, "%s%.80s", leftovers->folder, name);
    tell(leftovers->inspector, TAUD_FINDING_NOTE, place, leftovers->problem, "");
    return TAU_STATUS_SUCCESS;
}

static enum tau_status check_leftovers(struct taud_inspector *inspector,
                                       const struct taud_manifest *manifest, bool lost)
{
    struct taud_backend *backend = inspector->options->backend;
    struct leftovers others = {inspector, "",
                               lost ? "no manifest that is whole names it; a start moves it to "
                                      "quarantine"
                                    : "nothing names it; a start removes it"};
    struct leftovers unfinished = {inspector, "unfinished/",
                                   "it was never finished; a start removes it"};
    struct leftovers quarantine = {inspector, "quarantine/",
                                   "it was put aside when damage was found"};
    enum tau_status status =
        taud_manifest_list_others(backend, manifest, tell_other, &others, inspector->error);
    if (status == TAU_STATUS_SUCCESS)
        status = backend->objects->list(backend, "unfinished", tell_other, &unfinished,
                                        inspector->error);
    if (status == TAU_STATUS_SUCCESS)
        status = backend->objects->list(backend, "quarantine", tell_other, &quarantine,
                                        inspector->error);
    return status;
}

// --- all of it --------------------------------------------------------------------------------

// Whether there are records in the log, though no root tells of it.
static enum tau_status check_root(struct taud_inspector *inspector, struct taud_root *ret_root)
{
    bool damaged = false;
    enum tau_status status =
        taud_root_inspect(inspector->options->backend, ret_root, &damaged, inspector->error);
    if (status == TAU_STATUS_SUCCESS && damaged)
        tell(inspector, TAUD_FINDING_DAMAGED, "catalog", "it is damaged",
             "up to which position the log was durable");
    return status;
}

static enum tau_status check_all(struct taud_inspector *inspector, struct taud_root *root,
                                 struct taud_manifest *manifest)
{
    bool lost = false;
    enum tau_status status = check_root(inspector, root);
    struct taud_root found = *root;
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_find(inspector->options->backend, &found, manifest, &lost,
                                    inspector->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    inspector->report->manifest = manifest->number;
    inspector->manifest_lost = lost;
    if (lost)
        tell_lost(inspector, root, manifest);
    if (manifest->number != 0)
        status = check_copies(inspector, manifest->number);
    if (status == TAU_STATUS_SUCCESS)
        status = check_named(inspector, manifest);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_check_log(inspector, manifest, root->known_position);
    if (status == TAU_STATUS_SUCCESS)
        status = check_leftovers(inspector, manifest, lost);
    return status;
}

enum tau_status taud_check(const struct taud_check_options *options, struct taud_check_report *ret,
                           struct taud_error *error)
{
    memset(ret, 0, sizeof *ret);
    struct taud_inspector inspector = {
        .options = options,
        .store = {.backend = options->backend, .allocator = options->allocator},
        .codec = taud_codec_new(options->allocator),
        .report = ret,
        .error = error,
    };
    struct taud_root root;
    struct taud_manifest manifest;
    if (!inspector.codec)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory to check anything");
    taud_manifest_init(&manifest, options->allocator);
    taud_series_names_init(&inspector.names, &inspector.store, &manifest);
    enum tau_status status = check_all(&inspector, &root, &manifest);
    taud_series_names_done(&inspector.names);
    taud_manifest_done(&manifest);
    taud_codec_free(inspector.codec);
    return status;
}
