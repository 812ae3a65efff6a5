// SPDX-License-Identifier: MIT
// Pages of entries and a page of pages, each moved to a larger block while it is the only one of
// its kind. The search interpolates first, since timestamps are mostly even, then steps away from
// the guess in steps that double, and halves what is left.
#include "directory.h"

#include <assert.h>
#include <string.h>

enum { TOP_PAGES = TAUD_DIRECTORY_MAX / TAUD_DIRECTORY_PAGE };

_Static_assert(TAUD_DIRECTORY_PAGE * sizeof(struct taud_directory_entry) == 16384, "a 16K block");
_Static_assert(TOP_PAGES * sizeof(void *) == 16384, "a 16K block");

static uint32_t room_of(unsigned class, size_t size)
{
    return (uint32_t)(taud_block_bytes((enum taud_block_class)class) / size);
}

// The next size of a block that grows.
static enum taud_block_class larger_class(unsigned class)
{
    static const uint8_t larger[] = {
        [TAUD_BLOCK_64] = TAUD_BLOCK_256, [TAUD_BLOCK_256] = TAUD_BLOCK_1K,
        [TAUD_BLOCK_1K] = TAUD_BLOCK_4K,  [TAUD_BLOCK_4K] = TAUD_BLOCK_16K,
    };
    assert(class < sizeof larger && larger[class] != 0);
    return (enum taud_block_class)larger[class];
}

// Moves a block to one of the next size; NULL leaves everything as it was.
static void *enlarge(struct taud_arena *arena, void *block, uint8_t *class)
{
    enum taud_block_class larger = larger_class(*class);
    void *copy = taud_arena_take(arena, larger);
    if (!copy)
        return NULL;
    memcpy(copy, block, taud_block_bytes((enum taud_block_class)*class));
    taud_arena_give(arena, block, (enum taud_block_class)*class);
    *class = (uint8_t)larger;
    return copy;
}

static bool add_first_page(struct taud_directory *directory, struct taud_arena *arena)
{
    directory->page = taud_arena_take(arena, TAUD_BLOCK_64);
    directory->page_class = TAUD_BLOCK_64;
    return directory->page != NULL;
}

// Begins another page behind a full one.
static bool add_page(struct taud_directory *directory, struct taud_arena *arena)
{
    uint32_t number = directory->count / TAUD_DIRECTORY_PAGE;
    if (!directory->top) {
        struct taud_directory_entry **top = taud_arena_take(arena, TAUD_BLOCK_64);
        if (!top)
            return false;
        top[0] = directory->page;
        directory->top = top;
        directory->top_class = TAUD_BLOCK_64;
    }
    if (number == room_of(directory->top_class, sizeof(void *))) {
        void *larger = enlarge(arena, (void *)directory->top, &directory->top_class);
        if (!larger)
            return false;
        directory->top = larger;
    }
    struct taud_directory_entry *page = taud_arena_take(arena, TAUD_BLOCK_16K);
    if (!page)
        return false;
    directory->top[number] = page;
    directory->page = page;
    return true;
}

// Makes place for one more entry.
static bool reserve(struct taud_directory *directory, struct taud_arena *arena)
{
    uint32_t count = directory->count;
    if (count == TAUD_DIRECTORY_MAX)
        return false;
    if (count == 0)
        return directory->page || add_first_page(directory, arena);
    if (count % TAUD_DIRECTORY_PAGE == 0)
        return add_page(directory, arena);
    if (count < room_of(directory->page_class, sizeof(struct taud_directory_entry)) ||
        directory->page_class == TAUD_BLOCK_16K)
        return true;
    void *larger = enlarge(arena, directory->page, &directory->page_class);
    if (!larger)
        return false;
    directory->page = larger;
    return true;
}

bool taud_directory_add(struct taud_directory *directory, struct taud_arena *arena, int64_t first,
                        void *item)
{
    if (!reserve(directory, arena))
        return false;
    directory->page[directory->count % TAUD_DIRECTORY_PAGE] =
        (struct taud_directory_entry){first, item};
    directory->count++;
    return true;
}

void taud_directory_done(struct taud_directory *directory, struct taud_arena *arena)
{
    uint32_t pages = (directory->count + TAUD_DIRECTORY_PAGE - 1) / TAUD_DIRECTORY_PAGE;
    for (uint32_t i = 0; directory->top && i < pages; i++)
        taud_arena_give(arena, directory->top[i], TAUD_BLOCK_16K);
    if (directory->top)
        taud_arena_give(arena, (void *)directory->top, (enum taud_block_class)directory->top_class);
    else if (directory->page)
        taud_arena_give(arena, directory->page, (enum taud_block_class)directory->page_class);
    *directory = (struct taud_directory){0};
}

static int64_t first_of(const struct taud_directory *directory, uint32_t index)
{
    return taud_directory_at(directory, index)->first;
}

// Where `timestamp`, which is between the first and the last entry's, stands if they are even.
static uint32_t guess(const struct taud_directory *directory, int64_t timestamp)
{
    uint32_t last = directory->count - 1;
    uint64_t base = (uint64_t)first_of(directory, 0);
    uint64_t width = (uint64_t)first_of(directory, last) - base;
    if (width == 0)
        return 0;
    double share = (double)((uint64_t)timestamp - base) / (double)width;
    uint32_t index = (uint32_t)(share * (double)last);
    return index < last ? index : last;
}

uint32_t taud_directory_find(const struct taud_directory *directory, int64_t timestamp)
{
    uint32_t count = directory->count, step = 1;
    if (count == 0 || timestamp < first_of(directory, 0))
        return count;
    if (timestamp >= first_of(directory, count - 1))
        return count - 1;
    // In the end first(low) <= timestamp < first(high).
    uint32_t low = guess(directory, timestamp), high;
    if (first_of(directory, low) <= timestamp) {
        high = low + 1;
        while (first_of(directory, high) <= timestamp) {
            low = high;
            high = count - 1 - high > step ? high + step : count - 1;
            step *= 2;
        }
    } else {
        do {
            high = low;
            low = low > step ? low - step : 0;
            step *= 2;
        } while (first_of(directory, low) > timestamp);
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (first_of(directory, middle) <= timestamp)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint64_t taud_directory_memory(const struct taud_directory *directory)
{
    uint32_t pages = (directory->count + TAUD_DIRECTORY_PAGE - 1) / TAUD_DIRECTORY_PAGE;
    if (directory->top)
        return taud_block_bytes((enum taud_block_class)directory->top_class) +
               pages * taud_block_bytes(TAUD_BLOCK_16K);
    return directory->page ? taud_block_bytes((enum taud_block_class)directory->page_class) : 0;
}
