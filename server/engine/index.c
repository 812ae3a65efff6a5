// SPDX-License-Identifier: MIT
// Leaves of 1 KiB hold up to 126 addresses, inner nodes of 4 KiB up to 100 children and the
// smallest label of each child but the first. A full node is split on the way down, so that an
// insertion never has to come back up; a node that falls below a quarter is merged with a neighbour
// when both fit in one.
#include "index.h"

#include <assert.h>
#include <string.h>

enum { LEAF_ENTRIES = 126, INNER_ENTRIES = 100, DEPTH_MAX = 16 };

struct taud_index_node {
    uint16_t count;
    bool leaf;
    union {
        const struct tau_label *labels[LEAF_ENTRIES];
        struct {
            struct tau_label bounds[INNER_ENTRIES]; // bounds[0] is not used
            struct taud_index_node *children[INNER_ENTRIES];
        };
    };
};

_Static_assert(offsetof(struct taud_index_node, labels) + LEAF_ENTRIES * sizeof(void *) <= 1024,
               "a leaf fits its block");
_Static_assert(sizeof(struct taud_index_node) <= 4096, "an inner node fits its block");

static int compare(const struct tau_label *a, const struct tau_label *b)
{
    return memcmp(a, b, sizeof *a);
}

static unsigned capacity(const struct taud_index_node *node)
{
    return node->leaf ? LEAF_ENTRIES : INNER_ENTRIES;
}

static struct taud_index_node *new_node(struct taud_index *index, bool leaf)
{
    struct taud_index_node *node =
        taud_arena_take(index->arena, leaf ? TAUD_BLOCK_1K : TAUD_BLOCK_4K);
    if (node) {
        node->count = 0;
        node->leaf = leaf;
    }
    return node;
}

static void free_node(struct taud_index *index, struct taud_index_node *node)
{
    taud_arena_give(index->arena, node, node->leaf ? TAUD_BLOCK_1K : TAUD_BLOCK_4K);
}

void taud_index_init(struct taud_index *index, struct taud_arena *arena)
{
    index->arena = arena;
    index->root = NULL;
}

// The first entry of a leaf that is >= label.
static unsigned lower_bound(const struct taud_index_node *leaf, const struct tau_label *label)
{
    unsigned low = 0, high = leaf->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (compare(leaf->labels[middle], label) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The child that label belongs to: the last whose bound is <= label.
static unsigned child_of(const struct taud_index_node *inner, const struct tau_label *label)
{
    unsigned low = 1, high = inner->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (compare(&inner->bounds[middle], label) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

static void open_child(struct taud_index_node *inner, unsigned place)
{
    unsigned behind = inner->count - place;
    memmove(&inner->bounds[place + 1], &inner->bounds[place], behind * sizeof inner->bounds[0]);
    memmove(&inner->children[place + 1], &inner->children[place],
            behind * sizeof inner->children[0]);
    inner->count++;
}

static void close_child(struct taud_index_node *inner, unsigned place)
{
    unsigned behind = inner->count - place - 1;
    memmove(&inner->bounds[place], &inner->bounds[place + 1], behind * sizeof inner->bounds[0]);
    memmove(&inner->children[place], &inner->children[place + 1],
            behind * sizeof inner->children[0]);
    inner->count--;
}

// Moves the upper half of a full child to a new right neighbour. The parent has room.
static bool split_child(struct taud_index *index, struct taud_index_node *parent, unsigned place)
{
    struct taud_index_node *child = parent->children[place];
    struct taud_index_node *right = new_node(index, child->leaf);
    if (!right)
        return false;
    unsigned keep = child->count / 2u;
    right->count = (uint16_t)(child->count - keep);
    open_child(parent, place + 1);
    parent->children[place + 1] = right;
    if (child->leaf) {
        memcpy(right->labels, &child->labels[keep], right->count * sizeof right->labels[0]);
        parent->bounds[place + 1] = *right->labels[0];
    } else {
        memcpy(right->bounds, &child->bounds[keep], right->count * sizeof right->bounds[0]);
        memcpy(right->children, &child->children[keep], right->count * sizeof right->children[0]);
        parent->bounds[place + 1] = right->bounds[0];
    }
    child->count = (uint16_t)keep;
    return true;
}

static bool split_root(struct taud_index *index)
{
    struct taud_index_node *root = new_node(index, false);
    if (!root)
        return false;
    root->count = 1;
    root->children[0] = index->root;
    if (!split_child(index, root, 0)) {
        free_node(index, root);
        return false;
    }
    index->root = root;
    return true;
}

bool taud_index_insert(struct taud_index *index, const struct tau_label *label)
{
    if (!index->root && !(index->root = new_node(index, true)))
        return false;
    if (index->root->count == capacity(index->root) && !split_root(index))
        return false;
    struct taud_index_node *node = index->root;
    while (!node->leaf) {
        unsigned place = child_of(node, label);
        if (node->children[place]->count == capacity(node->children[place])) {
            if (!split_child(index, node, place))
                return false;
            place = child_of(node, label);
        }
        node = node->children[place];
    }
    unsigned place = lower_bound(node, label);
    memmove(&node->labels[place + 1], &node->labels[place],
            (node->count - place) * sizeof node->labels[0]);
    node->labels[place] = label;
    node->count++;
    return true;
}

// Joins the child at `place` with its right neighbour when both fit in one node.
static bool merge_right(struct taud_index *index, struct taud_index_node *parent, unsigned place)
{
    if (place + 1 >= parent->count)
        return false;
    struct taud_index_node *left = parent->children[place];
    struct taud_index_node *right = parent->children[place + 1];
    if (left->count + right->count > capacity(left))
        return false;
    if (left->leaf) {
        memcpy(&left->labels[left->count], right->labels, right->count * sizeof right->labels[0]);
    } else {
        right->bounds[0] = parent->bounds[place + 1];
        memcpy(&left->bounds[left->count], right->bounds, right->count * sizeof right->bounds[0]);
        memcpy(&left->children[left->count], right->children,
               right->count * sizeof right->children[0]);
    }
    left->count = (uint16_t)(left->count + right->count);
    close_child(parent, place + 1);
    free_node(index, right);
    return true;
}

static void remove_child(struct taud_index *index, struct taud_index_node *parent, unsigned place)
{
    free_node(index, parent->children[place]);
    close_child(parent, place);
}

void taud_index_remove(struct taud_index *index, const struct tau_label *label)
{
    struct taud_index_node *path[DEPTH_MAX];
    unsigned places[DEPTH_MAX], depth = 0;
    struct taud_index_node *node = index->root;
    for (; !node->leaf; node = path[depth - 1]->children[places[depth - 1]]) {
        path[depth] = node;
        places[depth++] = child_of(node, label);
    }
    unsigned place = lower_bound(node, label);
    assert(place < node->count && node->labels[place] == label);
    node->count--;
    memmove(&node->labels[place], &node->labels[place + 1],
            (node->count - place) * sizeof node->labels[0]);
    for (; depth > 0 && node->count < capacity(node) / 4; node = path[depth]) {
        depth--;
        if (node->count == 0)
            remove_child(index, path[depth], places[depth]);
        else if (!merge_right(index, path[depth], places[depth]) && places[depth] > 0)
            merge_right(index, path[depth], places[depth] - 1);
    }
    while (index->root &&
           (index->root->count == 0 || (!index->root->leaf && index->root->count == 1))) {
        struct taud_index_node *root = index->root;
        index->root = root->count == 0 ? NULL : root->children[0];
        free_node(index, root);
    }
}

// Finds the leaf and place of the first label >= from; `ret_next` gets the smallest bound behind
// the leaf, and false is returned in ret_has_next when there is none.
static const struct taud_index_node *seek(const struct taud_index *index,
                                          const struct tau_label *from, unsigned *ret_place,
                                          struct tau_label *ret_next, bool *ret_has_next)
{
    const struct taud_index_node *node = index->root;
    *ret_has_next = false;
    while (!node->leaf) {
        unsigned place = child_of(node, from);
        if (place + 1u < node->count) {
            *ret_next = node->bounds[place + 1];
            *ret_has_next = true;
        }
        node = node->children[place];
    }
    *ret_place = lower_bound(node, from);
    return node;
}

size_t taud_index_list(const struct taud_index *index, const struct tau_label *from, bool exclusive,
                       struct tau_slice prefix, size_t limit, struct tau_label *ret_labels,
                       bool *ret_more)
{
    struct tau_label next = *from;
    bool has_next = index->root != NULL;
    size_t count = 0;
    *ret_more = false;
    while (has_next) {
        struct tau_label start = next;
        unsigned place;
        const struct taud_index_node *leaf = seek(index, &start, &place, &next, &has_next);
        for (; place < leaf->count; place++) {
            const struct tau_label *label = leaf->labels[place];
            if (exclusive && compare(label, from) == 0)
                continue;
            if (prefix.size > 0 && memcmp(label->bytes, prefix.data, prefix.size) != 0)
                return count;
            if (count == limit) {
                *ret_more = true;
                return count;
            }
            ret_labels[count++] = *label;
        }
    }
    return count;
}
