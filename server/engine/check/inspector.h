// SPDX-License-Identifier: MIT
// What the parts of a check share. Only this room includes it.
#ifndef TAUD_ENGINE_CHECK_INSPECTOR_H
#define TAUD_ENGINE_CHECK_INSPECTOR_H

#include "../store/manifest_store.h"
#include "../store/segment.h"
#include "check.h"
#include "names.h"

struct taud_inspector {
    const struct taud_check_options *options;
    struct taud_store store; // without a cache
    struct taud_codec *codec;
    struct taud_series_names names;
    struct taud_check_report *report;
    struct taud_error *error;
    bool manifest_lost; // or the root: which one counts is not known
    uint64_t done_bytes, total_bytes;
};

// Counts a finding and hands it on. A kind DAMAGED becomes LOST where `loss` says something.
void taud_inspector_tell(struct taud_inspector *inspector, struct taud_finding finding);

// So many bytes more were read.
void taud_inspector_advance(struct taud_inspector *inspector, uint64_t bytes);

// In check_segment.c: checks a segment that the manifest names.
enum tau_status taud_check_segment(struct taud_inspector *inspector,
                                   const struct taud_manifest_segment *entry);

// In check_catalog.c: checks a catalog object that the manifest names.
enum tau_status taud_check_catalog(struct taud_inspector *inspector,
                                   const struct taud_manifest_catalog *entry);

// In check_log.c: checks the log behind the manifest's flush position. Where there is no manifest
// it may begin anywhere.
enum tau_status taud_check_log(struct taud_inspector *inspector,
                               const struct taud_manifest *manifest, uint64_t known_position);
// The position of the first group that the log has, 0 when it has none.
enum tau_status taud_log_beginning(struct taud_backend *backend, uint64_t *ret_position,
                                   struct taud_error *error);

#endif
