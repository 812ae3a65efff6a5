// SPDX-License-Identifier: MIT
// Makes stored data whole again: what is good is kept, what is damaged is moved to quarantine or
// copied there, and what can be made again is. Whatever it needs is written before anything goes,
// and one commit of a manifest makes it count, so it may be cut off at any time and begun again. It
// must not know how what it does is shown.
#ifndef TAUD_ENGINE_CHECK_REPAIR_H
#define TAUD_ENGINE_CHECK_REPAIR_H

#include "../backend.h"

// Told what was done to an object, and what is lost by it, "" for nothing.
typedef void taud_repair_callback(const char *place, const char *what, const char *loss,
                                  void *user_data);

struct taud_repair_options {
    struct taud_backend *backend; // open, and nobody else's
    const struct taud_allocator *allocator;
    uint64_t file_seed; // random: for the segments that are written anew
    taud_repair_callback *done;
    void *user_data;
};

// Repairs what a check finds. What cannot be read, or is of a later format, ends it, with nothing
// that counts changed. Returns SUCCESS, STORAGE_FULL, INTERNAL_ERROR, NO_MEMORY, OUTCOME_UNKNOWN.
enum tau_status taud_repair(const struct taud_repair_options *options, struct taud_error *error);

#endif
