// SPDX-License-Identifier: MIT
// What a simulated disk holds. A power cut takes the durable names and contents, and applies some
// of the changes that came since.
#include "disk_store.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, STEPS_MAX = 1024 };

struct change {
    struct change *next;
    bool resize;
    uint64_t offset, size;
    uint8_t data[];
};

struct image {
    _Atomic unsigned references; // copies of a disk may be freed beside a running engine
    _Atomic uint64_t digest;     // 0: not known
    bool lent;                   // somebody may write to it at any time
    uint64_t size, capacity;
    uint8_t data[];
};

// --- contents ---------------------------------------------------------------------------------

static void image_release(struct image *image)
{
    if (image && atomic_fetch_sub(&image->references, 1) == 1)
        free(image);
}

static struct image *image_share(struct image *image)
{
    if (image)
        atomic_fetch_add(&image->references, 1);
    return image;
}

static uint64_t image_size(const struct image *image)
{
    return image ? image->size : 0;
}

// Makes it this image's alone, with room for `size` bytes.
static struct image *image_own(struct image **place, uint64_t size)
{
    struct image *image = *place;
    if (image && atomic_load(&image->references) == 1 && image->capacity >= size) {
        atomic_store(&image->digest, 0);
        return image;
    }
    uint64_t capacity = image_size(image);
    if (capacity < size)
        capacity = size + size / 2;
    struct image *own = malloc(sizeof *own + capacity);
    if (!own)
        abort();
    atomic_init(&own->references, 1);
    atomic_init(&own->digest, 0);
    own->lent = false;
    own->capacity = capacity;
    own->size = image_size(image);
    if (own->size > 0)
        memcpy(own->data, image->data, own->size);
    image_release(image);
    *place = own;
    return own;
}

static void image_resize(struct image **place, uint64_t size)
{
    struct image *image = image_own(place, size);
    if (size > image->size)
        memset(image->data + image->size, 0, size - image->size);
    image->size = size;
}

static void image_write(struct image **place, uint64_t offset, const void *data, uint64_t size)
{
    if (offset + size > image_size(*place))
        image_resize(place, offset + size);
    memcpy(image_own(place, 0)->data + offset, data, size);
}

// --- files ------------------------------------------------------------------------------------

void node_forget_changes(struct node *node)
{
    for (struct change *change = node->first, *next; change; change = next) {
        next = change->next;
        free(change);
    }
    node->first = NULL;
    node->last = &node->first;
}

static struct node *node_new(struct store *store)
{
    if (store->node_count == store->node_capacity) {
        store->node_capacity = store->node_capacity * 2 + 16;
        store->nodes = realloc(store->nodes, store->node_capacity * sizeof *store->nodes);
    }
    struct node *node = calloc(1, sizeof *node);
    if (!node || !store->nodes)
        abort();
    node->number = ++store->numbers;
    node->last = &node->first;
    store->nodes[store->node_count++] = node;
    return node;
}

static void node_free(struct node *node)
{
    node_forget_changes(node);
    image_release(node->seen);
    image_release(node->durable);
    free(node);
}

uint64_t node_size(const struct node *node)
{
    return image_size(node->seen);
}

uint64_t node_read(const struct node *node, uint64_t offset, void *data, uint64_t size)
{
    uint64_t left = offset < node_size(node) ? node_size(node) - offset : 0;
    if (size > left)
        size = left;
    if (size > 0)
        memcpy(data, node->seen->data + offset, size);
    return size;
}

uint8_t *node_bytes(struct node *node)
{
    struct image *image = image_own(&node->seen, 0);
    image->lent = true;
    return image->data;
}

void node_write_unseen(struct node *node, uint64_t offset, const void *data, uint64_t size)
{
    struct change *change = malloc(sizeof *change + size);
    if (!change)
        abort();
    *change = (struct change){.offset = offset, .size = size, .resize = data == NULL};
    if (data)
        memcpy(change->data, data, size);
    *node->last = change;
    node->last = &change->next;
}

void node_forget_newest(struct node *node)
{
    struct change **place = &node->first;
    while (*place && (*place)->next)
        place = &(*place)->next;
    free(*place);
    *place = NULL;
    node->last = place;
}

void node_write(struct node *node, uint64_t offset, const void *data, uint64_t size)
{
    image_write(&node->seen, offset, data, size);
    node_write_unseen(node, offset, data, size);
}

// What it passes in the cache is written out before it, and does not come behind it.
void node_write_through(struct node *node, uint64_t offset, const void *data, uint64_t size)
{
    image_write(&node->seen, offset, data, size);
    for (struct change *change = node->first; change; change = change->next) {
        uint64_t end = offset + size, change_end = change->offset + change->size;
        uint64_t from = offset > change->offset ? offset : change->offset;
        uint64_t to = end < change_end ? end : change_end;
        if (!change->resize && from < to)
            memcpy(change->data + (from - change->offset), (const uint8_t *)data + (from - offset),
                   to - from);
    }
    image_write(&node->durable, offset, data, size);
}

void node_resize(struct node *node, uint64_t size)
{
    image_resize(&node->seen, size);
    node_write_unseen(node, 0, NULL, size);
}

void node_damage(struct node *node, uint64_t size)
{
    image_resize(&node->seen, size);
}

static void apply_change(struct image **image, const struct change *change)
{
    if (change->resize)
        image_resize(image, change->size);
    else
        image_write(image, change->offset, change->data, change->size);
}

void node_sync(struct node *node)
{
    for (struct change *change = node->first; change; change = change->next)
        apply_change(&node->durable, change);
    node_forget_changes(node);
}

// --- names ------------------------------------------------------------------------------------

static void bind(struct names *names, const struct entry *entry)
{
    unsigned i = 0;
    while (i < names->count && strcmp(names->items[i].path, entry->path) != 0)
        i++;
    if (!entry->node) {
        if (i < names->count)
            names->items[i] = names->items[--names->count];
        return;
    }
    if (i == names->capacity) {
        names->capacity = names->capacity * 2 + 16;
        names->items = realloc(names->items, names->capacity * sizeof *names->items);
        if (!names->items)
            abort();
    }
    names->items[i] = *entry;
    names->count += i == names->count;
}

static void apply_steps(struct store *store, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < store->steps[i].count; k++)
            bind(&store->durable, &store->steps[i].names[k]);
    }
    store->step_count -= count;
    if (count > 0)
        memmove(store->steps, store->steps + count, store->step_count * sizeof *store->steps);
}

static void set_name(struct entry *entry, const char *path, struct node *node)
{
    assert(strlen(path) < STORE_PATH_BYTES);
    snprintf(entry->path, sizeof entry->path, "%s", path);
    entry->node = node;
}

// Frees the nodes that nothing leads to.
static void collect(struct store *store)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < store->node_count; i++)
        store->nodes[i]->in_use = store->nodes[i]->opened > 0;
    for (unsigned i = 0; i < store->seen.count; i++)
        store->seen.items[i].node->in_use = true;
    for (unsigned i = 0; i < store->durable.count; i++)
        store->durable.items[i].node->in_use = true;
    for (unsigned i = 0; i < store->step_count; i++) {
        for (unsigned k = 0; k < store->steps[i].count; k++) {
            if (store->steps[i].names[k].node)
                store->steps[i].names[k].node->in_use = true;
        }
    }
    for (unsigned i = 0; i < store->node_count; i++) {
        if (store->nodes[i]->in_use)
            store->nodes[kept++] = store->nodes[i];
        else
            node_free(store->nodes[i]);
    }
    store->node_count = kept;
}

static void add_step(struct store *store, const struct name_step *step)
{
    for (unsigned i = 0; i < step->count; i++)
        bind(&store->seen, &step->names[i]);
    if (store->step_count == STEPS_MAX)
        apply_steps(store, 1);
    if (store->step_count == store->step_capacity) {
        store->step_capacity = store->step_capacity * 2 + 16;
        store->steps = realloc(store->steps, store->step_capacity * sizeof *store->steps);
        if (!store->steps)
            abort();
    }
    store->steps[store->step_count++] = *step;
    if (store->node_count > 2 * (store->seen.count + store->durable.count) + 64)
        collect(store);
}

struct node *store_find(const struct store *store, const char *path)
{
    for (unsigned i = 0; i < store->seen.count; i++) {
        if (strcmp(store->seen.items[i].path, path) == 0)
            return store->seen.items[i].node;
    }
    return NULL;
}

void store_name(struct store *store, const char *path, struct node *node)
{
    struct name_step step = {.count = 1};
    set_name(&step.names[0], path, node);
    add_step(store, &step);
}

struct node *store_add(struct store *store, const char *path)
{
    struct node *node = node_new(store);
    store_name(store, path, node);
    return node;
}

void store_move(struct store *store, const char *from, const char *to)
{
    struct name_step step = {.count = 2};
    set_name(&step.names[1], to, store_find(store, from));
    set_name(&step.names[0], from, NULL);
    add_step(store, &step);
}

bool store_is_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    if (length >= 2 && strcmp(folder + length - 2, "/.") == 0)
        length -= 2;
    return strncmp(path, folder, length) == 0 && path[length] == '/' &&
           !strchr(path + length + 1, '/');
}

void store_sync_folder(struct store *store, const char *folder)
{
    unsigned count = 0;
    for (unsigned i = 0; i < store->step_count; i++) {
        for (unsigned k = 0; k < store->steps[i].count; k++) {
            if (store_is_in(store->steps[i].names[k].path, folder))
                count = i + 1;
        }
    }
    apply_steps(store, count);
}

void store_done(struct store *store)
{
    for (unsigned i = 0; i < store->node_count; i++)
        node_free(store->nodes[i]);
    free(store->nodes);
    free(store->seen.items);
    free(store->durable.items);
    free(store->steps);
    *store = (struct store){0};
}

uint64_t store_used(const struct store *store)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < store->node_count; i++)
        store->nodes[i]->in_use = store->nodes[i]->opened > 0;
    for (unsigned i = 0; i < store->seen.count; i++)
        store->seen.items[i].node->in_use = true;
    for (unsigned i = 0; i < store->node_count; i++)
        bytes += store->nodes[i]->in_use ? node_size(store->nodes[i]) : 0;
    return bytes;
}

// --- copies -----------------------------------------------------------------------------------

enum manner { MANNER_NOTHING, MANNER_EVERYTHING, MANNER_FIRST, MANNER_WRITES, MANNER_SECTORS };

struct choice {
    enum manner manner;
    unsigned share; // of 8
    uint64_t random;
};

static uint64_t draw(struct choice *choice)
{
    choice->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = choice->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static struct choice choose(uint64_t seed)
{
    static const unsigned shares[] = {1, 4, 4, 7};
    struct choice choice = {.manner = MANNER_NOTHING, .random = seed};
    if (seed == 1)
        choice.manner = MANNER_EVERYTHING;
    if (seed <= 1)
        return choice;
    choice.manner = MANNER_FIRST + draw(&choice) % 3;
    choice.share = shares[draw(&choice) % 4];
    return choice;
}

static bool keep(struct choice *choice)
{
    if (choice->manner <= MANNER_EVERYTHING)
        return choice->manner == MANNER_EVERYTHING;
    return draw(choice) % 8 < choice->share;
}

static void keep_sectors(struct image **image, const struct change *change, struct choice *choice)
{
    for (uint64_t at = 0; at < change->size;) {
        uint64_t step = SECTOR - (change->offset + at) % SECTOR;
        if (step > change->size - at)
            step = change->size - at;
        if (keep(choice))
            image_write(image, change->offset + at, change->data + at, step);
        at += step;
    }
}

// Writes come down in any order: what is not kept of one can be kept of a later one.
static void settle(const struct node *node, struct image **image, struct choice *choice)
{
    bool ended = false;
    for (const struct change *change = node->first; change && !ended; change = change->next) {
        if (choice->manner == MANNER_SECTORS && !change->resize)
            keep_sectors(image, change, choice);
        else if (keep(choice))
            apply_change(image, change);
        else
            ended = choice->manner == MANNER_FIRST;
    }
}

// The copy of a node that names of both lists lead to.
static void copy_names(const struct store *from, const struct names *names, struct store *ret)
{
    for (unsigned i = 0; i < names->count; i++) {
        struct entry entry = names->items[i];
        for (unsigned k = 0; k < from->node_count; k++) {
            if (from->nodes[k] == entry.node)
                entry.node = ret->nodes[k];
        }
        bind(&ret->seen, &entry);
        bind(&ret->durable, &entry);
    }
}

static void copy_nodes(const struct store *from, bool seen, struct choice *choice,
                       struct store *ret)
{
    for (unsigned i = 0; i < from->node_count; i++) {
        const struct node *node = from->nodes[i];
        struct node *twin = node_new(ret);
        twin->number = node->number;
        twin->directory = node->directory;
        twin->durable = image_share(seen ? node->seen : node->durable);
        if (!seen)
            settle(node, &twin->durable, choice);
        twin->seen = image_share(twin->durable);
    }
    ret->numbers = from->numbers;
}

void store_copy(const struct store *store, struct store *ret)
{
    *ret = (struct store){0};
    copy_nodes(store, true, NULL, ret);
    copy_names(store, &store->seen, ret);
    collect(ret);
}

void store_cut(const struct store *store, uint64_t seed, struct store *ret)
{
    struct choice choice = choose(seed);
    *ret = (struct store){0};
    copy_nodes(store, false, &choice, ret);
    struct names names = {0};
    for (unsigned i = 0; i < store->durable.count; i++)
        bind(&names, &store->durable.items[i]);
    unsigned steps = seed == 0 ? 0 : store->step_count;
    if (seed > 1)
        steps = (unsigned)(draw(&choice) % (steps + 1));
    for (unsigned i = 0; i < steps; i++) {
        for (unsigned k = 0; k < store->steps[i].count; k++)
            bind(&names, &store->steps[i].names[k]);
    }
    copy_names(store, &names, ret);
    free(names.items);
    collect(ret);
}

static bool all_zero(const struct image *image)
{
    return image_size(image) == 0 ||
           (image->data[0] == 0 && memcmp(image->data, image->data + 1, image->size - 1) == 0);
}

#define BASIS UINT64_C(14695981039346656037)

static uint64_t fold(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

// In words, since fuzzing traces each comparison of a loop.
static uint64_t hash_image(const struct image *image)
{
    uint64_t at = 0, word, hash = BASIS;
    for (; image->size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, image->data + at, sizeof word);
        hash = fold(hash, word);
    }
    for (; at < image->size; at++)
        hash = fold(hash, image->data[at]);
    return hash | 1;
}

// Copies of disks share most of what they hold, so it is kept.
static uint64_t image_digest(struct image *image)
{
    uint64_t digest = image ? atomic_load(&image->digest) : BASIS;
    if (digest == 0) {
        digest = hash_image(image);
        if (!image->lent)
            atomic_store(&image->digest, digest);
    }
    return digest;
}

uint64_t store_digest(const struct store *store, const char *prefix, bool empty_too)
{
    uint64_t digest = 0;
    for (unsigned i = 0; i < store->seen.count; i++) {
        const struct entry *entry = &store->seen.items[i];
        if (strncmp(entry->path, prefix, strlen(prefix)) != 0 ||
            (!empty_too && all_zero(entry->node->seen)))
            continue;
        uint64_t hash = BASIS;
        for (const char *c = entry->path; *c; c++)
            hash = fold(hash, (uint8_t)*c);
        hash = fold(hash, image_digest(entry->node->seen));
        digest += hash * 2654435761U + image_size(entry->node->seen);
    }
    return digest;
}
