/* SPDX-License-Identifier: MIT */
/*
 * Open addressing with linear probing, at most half full; the hash is FNV-1a over eight bytes at a
 * time, mixed once more, which is enough for names that nobody chooses to collide here.
 */
#include "import/label_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256

void cli_label_set_init(struct cli_label_set *set, size_t limit)
{
    *set = (struct cli_label_set){.limit = limit};
}

void cli_label_set_done(struct cli_label_set *set)
{
    free(set->slots);
    free(set->used);
    set->slots = NULL;
    set->used = NULL;
    set->slot_count = 0;
    set->count = 0;
}

static uint64_t hash_of(const struct tau_label *label)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof(label->bytes); i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, label->bytes + i, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 32;
    }
    return hash;
}

/* The slot that holds the label, or the free one where it belongs. */
static size_t find(const struct cli_label_set *set, const struct tau_label *label)
{
    size_t slot = (size_t)hash_of(label) & (set->slot_count - 1);
    while (set->used[slot] && memcmp(&set->slots[slot], label, sizeof(*label)) != 0) {
        slot = (slot + 1) & (set->slot_count - 1);
    }
    return slot;
}

static bool grow(struct cli_label_set *set)
{
    struct cli_label_set larger = *set;
    larger.slot_count = set->slot_count == 0 ? FIRST_SLOTS : set->slot_count * 2;
    larger.slots = malloc(larger.slot_count * sizeof(*larger.slots));
    larger.used = calloc(larger.slot_count, sizeof(*larger.used));
    if (larger.slots == NULL || larger.used == NULL) {
        free(larger.slots);
        free(larger.used);
        return false;
    }
    for (size_t i = 0; i < set->slot_count; i++) {
        if (set->used[i]) {
            size_t slot = find(&larger, &set->slots[i]);
            larger.slots[slot] = set->slots[i];
            larger.used[slot] = true;
        }
    }
    free(set->slots);
    free(set->used);
    set->slots = larger.slots;
    set->used = larger.used;
    set->slot_count = larger.slot_count;
    return true;
}

bool cli_label_set_add(struct cli_label_set *set, const struct tau_label *label)
{
    if (set->slot_count > 0) {
        size_t slot = find(set, label);
        if (set->used[slot]) {
            return false;
        }
    }
    if (set->count >= set->limit) {
        memset(set->used, 0, set->slot_count * sizeof(*set->used));
        set->count = 0;
    }
    if (set->count * 2 >= set->slot_count && !grow(set)) {
        return true;
    }
    size_t slot = find(set, label);
    set->slots[slot] = *label;
    set->used[slot] = true;
    set->count++;
    return true;
}
