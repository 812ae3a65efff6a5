/* SPDX-License-Identifier: MIT */
/*
 * A set of labels with a bound: when it is full it forgets all of them. It remembers which series
 * were created already, and to create one again does no harm.
 */
#ifndef TAU_CLI_IMPORT_LABEL_SET_H
#define TAU_CLI_IMPORT_LABEL_SET_H

#include <stdbool.h>
#include <stddef.h>

#include <tau/protocol.h>

struct cli_label_set {
    struct tau_label *slots;
    bool *used;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
    size_t limit;
};

/* `limit` is the most labels that it holds. */
void cli_label_set_init(struct cli_label_set *set, size_t limit);

void cli_label_set_done(struct cli_label_set *set);

/* Adds a label; returns whether it is new. Without memory for more, every label is new. */
bool cli_label_set_add(struct cli_label_set *set, const struct tau_label *label);

#endif
