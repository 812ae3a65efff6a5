// SPDX-License-Identifier: MIT
// What the parts of a repair share. Only this room includes it.
#ifndef TAUD_ENGINE_CHECK_REPAIRER_H
#define TAUD_ENGINE_CHECK_REPAIRER_H

#include "../catalog_store.h"
#include "../store/manifest_store.h"
#include "../store/segment.h"
#include "repair.h"

// An object that goes once the new manifest counts.
struct taud_repair_removal {
    struct taud_repair_removal *next;
    bool keep; // moves to quarantine
    char name[TAUD_OBJECT_NAME_MAX + 1];
};

struct taud_repairer {
    const struct taud_repair_options *options;
    struct taud_backend *backend;
    struct taud_store store; // without a cache
    struct taud_codec *codec;
    struct taud_error *error;
    struct taud_root root;
    struct taud_manifest manifest; // as it is to be
    bool lost;                     // the root or the manifest was
    bool changed;                  // there is something to commit
    uint64_t file_count;           // file ids drawn
    struct taud_repair_removal *removals;
};

// Tells what was done.
void taud_repairer_tell(struct taud_repairer *repairer, const char *place, const char *what,
                        const char *loss);

// Remembers that an object goes, to quarantine where it is to be kept. Returns NO_MEMORY.
enum tau_status taud_repairer_remove(struct taud_repairer *repairer, const char *name, bool keep);

// A new file id.
uint64_t taud_repairer_file_id(struct taud_repairer *repairer);

// In repair_manifest.c: finds the manifest, or makes it of what is there.
enum tau_status taud_repair_manifest(struct taud_repairer *repairer);

// In repair_segment.c: segment `index` of the manifest. *ret_gone says that it has left that.
enum tau_status taud_repair_segment(struct taud_repairer *repairer, uint32_t index,
                                    bool *ret_gone);

// In repair_catalog.c: all catalog objects, when one of them is damaged.
enum tau_status taud_repair_catalog(struct taud_repairer *repairer);

// In repair_log.c: the log behind the flush position. The backend's log is closed again.
enum tau_status taud_repair_log(struct taud_repairer *repairer);

#endif
