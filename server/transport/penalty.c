// SPDX-License-Identifier: MIT
// How long the answer to a wrong certificate waits.
#include "transport/penalty.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRY_COUNT = 1024,
    FIRST_DELAY_MS = 100,
    LONGEST_DELAY_MS = 2000,
    WINDOW_MS = 60 * 1000,
};

struct entry {
    struct taud_penalty_key key;
    uint64_t window_ends_ms; // 0: free
    uint64_t delay_ms;       // of the latest failure
};

struct taud_penalties {
    pthread_mutex_t lock;
    struct entry entries[ENTRY_COUNT];
};

struct taud_penalties *taud_penalties_new(void)
{
    struct taud_penalties *penalties = calloc(1, sizeof *penalties);
    if (penalties != NULL)
        pthread_mutex_init(&penalties->lock, NULL);
    return penalties;
}

void taud_penalties_free(struct taud_penalties *penalties)
{
    if (penalties == NULL)
        return;
    pthread_mutex_destroy(&penalties->lock);
    free(penalties);
}

// The entry of the key, or else the one whose window ends first. A scan of a small table is enough:
// who comes here is made to wait anyway.
static struct entry *find_entry(struct taud_penalties *penalties,
                                const struct taud_penalty_key *key)
{
    struct entry *oldest = &penalties->entries[0];
    for (size_t index = 0; index < ENTRY_COUNT; index++) {
        struct entry *entry = &penalties->entries[index];
        if (entry->window_ends_ms != 0 && memcmp(&entry->key, key, sizeof *key) == 0)
            return entry;
        if (entry->window_ends_ms < oldest->window_ends_ms)
            oldest = entry;
    }
    oldest->window_ends_ms = 0;
    return oldest;
}

uint64_t taud_penalties_add(struct taud_penalties *penalties, const struct taud_penalty_key *key,
                            uint64_t now_ms)
{
    pthread_mutex_lock(&penalties->lock);
    struct entry *entry = find_entry(penalties, key);
    if (entry->window_ends_ms <= now_ms) {
        *entry = (struct entry){
            .key = *key, .window_ends_ms = now_ms + WINDOW_MS, .delay_ms = FIRST_DELAY_MS};
    } else {
        entry->delay_ms *= 2;
        if (entry->delay_ms > LONGEST_DELAY_MS)
            entry->delay_ms = LONGEST_DELAY_MS;
    }
    uint64_t delay_ms = entry->delay_ms;
    pthread_mutex_unlock(&penalties->lock);
    return delay_ms;
}
