// SPDX-License-Identifier: MIT
// The order of a repair: which manifest counts, then what it names, then the log; then one commit,
// and only then goes what the new manifest does not name. What is written before the commit and
// never counts is left over, and a start removes it.
#include "repairer.h"

#include <stdio.h>
#include <string.h>

void taud_repairer_tell(struct taud_repairer *repairer, const char *place, const char *what,
                        const char *loss)
{
    repairer->options->done(place, what, loss, repairer->options->user_data);
}

uint64_t taud_repairer_file_id(struct taud_repairer *repairer)
{
    // Neighbours differ in all bits, and none is what a server draws from the same seed.
    return (repairer->options->file_seed + ++repairer->file_count) * UINT64_C(0x9e3779b97f4a7c15);
}

enum tau_status taud_repairer_remove(struct taud_repairer *repairer, const char *name, bool keep)
{
    const struct taud_allocator *allocator = repairer->options->allocator;
    struct taud_repair_removal *removal =
        allocator->allocate(allocator->context, sizeof *removal);
    if (!removal)
        return taud_error_set(repairer->error, TAU_STATUS_NO_MEMORY, 0, "no memory to repair %s",
                              name);
    *removal = (struct taud_repair_removal){.next = repairer->removals, .keep = keep};
    snprintf(removal->name, sizeof removal->name, "%s", name);
    repairer->removals = removal;
    repairer->changed = true;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status repair_segments(struct taud_repairer *repairer)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < repairer->manifest.segment_count && status == TAU_STATUS_SUCCESS;) {
        bool gone = false;
        status = taud_repair_segment(repairer, i, &gone);
        i += !gone;
    }
    return status;
}

static enum tau_status remove_all(struct taud_repairer *repairer)
{
    const struct taud_objects_operations *objects = repairer->backend->objects;
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (const struct taud_repair_removal *removal = repairer->removals;
         removal && status == TAU_STATUS_SUCCESS; removal = removal->next)
        status = removal->keep
                     ? objects->quarantine(repairer->backend, removal->name, repairer->error)
                     : objects->remove(repairer->backend, removal->name, repairer->error);
    return status;
}

// From here on the repaired data counts.
static enum tau_status commit(struct taud_repairer *repairer)
{
    if (!repairer->changed)
        return TAU_STATUS_SUCCESS;
    enum tau_status status = taud_manifest_commit(repairer->backend, &repairer->root,
                                                  &repairer->manifest, repairer->error);
    if (status == TAU_STATUS_SUCCESS)
        status = remove_all(repairer);
    if (status == TAU_STATUS_SUCCESS && repairer->lost)
        status = taud_manifest_sweep(repairer->backend, &repairer->manifest, true,
                                     repairer->error);
    if (status == TAU_STATUS_SUCCESS)
        status = repairer->backend->log->trim(
            repairer->backend, repairer->manifest.flush_position, repairer->error);
    return status;
}

static enum tau_status repair(struct taud_repairer *repairer)
{
    enum tau_status status = taud_repair_manifest(repairer);
    if (status == TAU_STATUS_SUCCESS)
        status = repair_segments(repairer);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_repair_catalog(repairer);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_repair_log(repairer);
    return status == TAU_STATUS_SUCCESS ? commit(repairer) : status;
}

enum tau_status taud_repair(const struct taud_repair_options *options, struct taud_error *error)
{
    const struct taud_allocator *allocator = options->allocator;
    struct taud_repairer repairer = {
        .options = options,
        .backend = options->backend,
        .store = {.backend = options->backend, .allocator = allocator},
        .codec = taud_codec_new(allocator),
        .error = error,
    };
    if (!repairer.codec)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory to repair anything");
    taud_manifest_init(&repairer.manifest, allocator);
    enum tau_status status = repair(&repairer);
    taud_manifest_done(&repairer.manifest);
    taud_codec_free(repairer.codec);
    while (repairer.removals) {
        struct taud_repair_removal *next = repairer.removals->next;
        allocator->release(allocator->context, repairer.removals);
        repairer.removals = next;
    }
    return status;
}
