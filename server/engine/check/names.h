// SPDX-License-Identifier: MIT
// The labels of series by their identities, as the catalog objects of a manifest tell them. They
// are read when the first is asked for, so that a check that finds nothing takes no memory for
// them. It must not know what is damaged.
#ifndef TAUD_ENGINE_CHECK_NAMES_H
#define TAUD_ENGINE_CHECK_NAMES_H

#include "../store/manifest.h"
#include "../store/segment.h"

struct taud_series_name {
    uint64_t identity;
    struct tau_label label;
};

struct taud_series_names {
    const struct taud_store *store;
    const struct taud_manifest *manifest;
    struct taud_series_name *items; // by identity
    size_t count, room;
    bool read;
};

// Both outlive it. Memory is taken by the first question: 40 bytes for each series, up to twice as
// much.
void taud_series_names_init(struct taud_series_names *names, const struct taud_store *store,
                            const struct taud_manifest *manifest);
void taud_series_names_done(struct taud_series_names *names);

// NULL where nothing tells it: what says so is damaged, or there is no memory. A series that was
// dropped may still have one.
const struct tau_label *taud_series_names_find(struct taud_series_names *names, uint64_t identity);

#endif
