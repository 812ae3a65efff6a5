// SPDX-License-Identifier: MIT
// What a simulated disk holds: files with what programs see of them and what is durable, the
// changes in between, and names, whose changes become durable in order. It must not know calls,
// faults or threads; contents are shared between copies until they are written to.
#ifndef TAU_TESTS_FAULT_DISK_STORE_H
#define TAU_TESTS_FAULT_DISK_STORE_H

#include <stdbool.h>
#include <stdint.h>

enum { STORE_PATH_BYTES = 120 };

// The bytes of a file; NULL has none.
struct image;

struct change;

struct node {
    uint64_t number; // tells files apart, whatever they are called
    struct image *seen, *durable;
    struct change *first, **last;
    bool directory, locked, in_use;
    unsigned opened;  // times
    unsigned sharers; // of the lock
};

struct entry {
    char path[STORE_PATH_BYTES];
    struct node *node;
};

struct names {
    struct entry *items;
    unsigned count, capacity;
};

// A change of one or two names that is not durable yet; a node of NULL takes the name away.
struct name_step {
    struct entry names[2];
    unsigned count;
};

struct store {
    struct names seen, durable;
    struct name_step *steps;
    unsigned step_count, step_capacity;
    struct node **nodes;
    unsigned node_count, node_capacity;
    uint64_t numbers; // given to nodes
};

void store_done(struct store *store);

// Names. A node that has none, and is not open, goes some time.
struct node *store_find(const struct store *store, const char *path);
struct node *store_add(struct store *store, const char *path);
void store_name(struct store *store, const char *path, struct node *node); // NULL: it goes
void store_move(struct store *store, const char *from, const char *to);
// Makes every change of names durable up to the last one that concerns the folder.
void store_sync_folder(struct store *store, const char *folder);
bool store_is_in(const char *path, const char *folder);

// Files.
uint64_t node_size(const struct node *node);
uint64_t node_read(const struct node *node, uint64_t offset, void *data, uint64_t size);
uint8_t *node_bytes(struct node *node); // that programs see, for writing
void node_write(struct node *node, uint64_t offset, const void *data, uint64_t size);
void node_write_through(struct node *node, uint64_t offset, const void *data, uint64_t size);
// A write that was underway when the power went: no program saw its end.
void node_write_unseen(struct node *node, uint64_t offset, const void *data, uint64_t size);
void node_forget_newest(struct node *node); // change
void node_resize(struct node *node, uint64_t size);
void node_damage(struct node *node, uint64_t size); // cuts what programs see, and nothing else
void node_sync(struct node *node);
void node_forget_changes(struct node *node);

// Bytes of all files that have a name or are open.
uint64_t store_used(const struct store *store);

// Puts a store into *ret as a power cut would leave this one: of what is not durable a part that
// `seed` chooses: 0 nothing, 1 everything, else whole writes, or the first of them, or sectors.
void store_cut(const struct store *store, uint64_t seed, struct store *ret);

// The same with all that programs see.
void store_copy(const struct store *store, struct store *ret);

// Of names and contents; of all files whose name begins with `prefix`, or only of those that hold
// something but zeros.
uint64_t store_digest(const struct store *store, const char *prefix, bool empty_too);

#endif
