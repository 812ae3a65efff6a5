// SPDX-License-Identifier: MIT
// An ordered index of labels: a B+ tree whose leaves hold addresses of things that begin with their
// label. For listing by prefix and cursor. The caller locks.
#ifndef TAUD_ENGINE_INDEX_H
#define TAUD_ENGINE_INDEX_H

#include "arena.h"

#include <stdbool.h>
#include <stddef.h>

#include <tau/protocol.h>

struct taud_index_node;

struct taud_index {
    struct taud_arena *arena;
    struct taud_index_node *root; // NULL while empty
};

void taud_index_init(struct taud_index *index, struct taud_arena *arena);

// The label must not be there, and stays in place while it is. Returns false when memory is at its
// bound; nothing changed then.
bool taud_index_insert(struct taud_index *index, const struct tau_label *label);

// The label must be there, by address.
void taud_index_remove(struct taud_index *index, const struct tau_label *label);

// Copies at most `limit` labels >= `from` (or > when `exclusive`) that begin with `prefix`.
size_t taud_index_list(const struct taud_index *index, const struct tau_label *from, bool exclusive,
                       struct tau_slice prefix, size_t limit, struct tau_label *ret_labels,
                       bool *ret_more);

#endif
