// SPDX-License-Identifier: MIT
// A growing list of things that each have a first timestamp, found by it when they ascend: one page
// that grows, then full pages below a top page. What is added stays where it is in the list; pages
// may move, so the caller locks. It must not know what the things are.
#ifndef TAUD_ENGINE_DIRECTORY_H
#define TAUD_ENGINE_DIRECTORY_H

#include "arena.h"

struct taud_directory_entry {
    int64_t first;
    void *item;
};

enum {
    TAUD_DIRECTORY_PAGE = 1024, // entries of a full page
    TAUD_DIRECTORY_MAX = 2048 * TAUD_DIRECTORY_PAGE,
};

// All zero is an empty one.
struct taud_directory {
    struct taud_directory_entry *page; // the last one
    struct taud_directory_entry **top; // NULL while there is one page
    uint32_t count;
    uint8_t page_class, top_class;
};

// Adds an entry. Returns false when memory is at its bound or TAUD_DIRECTORY_MAX is reached.
bool taud_directory_add(struct taud_directory *directory, struct taud_arena *arena, int64_t first,
                        void *item);

// Gives the pages back; what the entries point to is the caller's.
void taud_directory_done(struct taud_directory *directory, struct taud_arena *arena);

static inline struct taud_directory_entry *
taud_directory_at(const struct taud_directory *directory, uint32_t index)
{
    struct taud_directory_entry *page =
        directory->top ? directory->top[index / TAUD_DIRECTORY_PAGE] : directory->page;
    return &page[index % TAUD_DIRECTORY_PAGE];
}

// Of entries that ascend: the last one whose first timestamp is at or before `timestamp`; `count`
// when there is none.
uint32_t taud_directory_find(const struct taud_directory *directory, int64_t timestamp);

uint64_t taud_directory_memory(const struct taud_directory *directory);

#endif
