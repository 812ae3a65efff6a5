// SPDX-License-Identifier: MIT
// The engine's record in the catalog store: from where everything else is found. It is small and
// replaced whole, so that whatever it names changes in one step.
#ifndef TAUD_ENGINE_STORE_ROOT_H
#define TAUD_ENGINE_STORE_ROOT_H

#include "../backend.h"

struct taud_root {
    uint64_t version;        // of the record, 0 where there is none: compare-and-swap is by it
    uint64_t epoch;          // how many times the storage was started
    uint64_t known_position; // the log was once durable up to here
    uint64_t manifest;       // number of the manifest, 0 where there is none
};

// Reads the record. Returns SUCCESS, also where there is none; INTERNAL_ERROR, also for one of a
// later format, which is not touched.
enum tau_status taud_root_read(struct taud_backend *backend, struct taud_root *ret,
                               struct taud_error *error);

// Reads it too, and changes nothing: of a damaged one *ret_damaged is true, and it counts as none.
enum tau_status taud_root_inspect(struct taud_backend *backend, struct taud_root *ret,
                                  bool *ret_damaged, struct taud_error *error);

// Replaces the record that was read or written last by what `root` says now, and raises the
// version. Returns as the catalog store's swap; of a failure it is not known which one the next
// start finds.
enum tau_status taud_root_write(struct taud_backend *backend, struct taud_root *root,
                                struct taud_error *error);

#endif
