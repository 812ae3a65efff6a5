// SPDX-License-Identifier: MIT
// Doubly linked lists whose links are members of what they link. A member knows by itself whether
// it is in a list, so that it can leave at any time, also while others walk the list.
#ifndef TAUD_NET_LIST_H
#define TAUD_NET_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct taud_link {
    struct taud_link *previous;
    struct taud_link *next; // NULL while in no list
};

// The object that holds this link as the named member.
#define TAUD_LINKED(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void taud_list_init(struct taud_link *list)
{
    list->previous = list;
    list->next = list;
}

static inline bool taud_list_empty(const struct taud_link *list)
{
    return list->next == list;
}

static inline bool taud_link_used(const struct taud_link *link)
{
    return link->next != NULL;
}

static inline void taud_list_add(struct taud_link *list, struct taud_link *link)
{
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}

// Does nothing when it is in no list.
static inline void taud_link_remove(struct taud_link *link)
{
    if (link->next == NULL)
        return;
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->previous = NULL;
    link->next = NULL;
}

// Takes the first member off the list; NULL when it is empty.
static inline struct taud_link *taud_list_take(struct taud_link *list)
{
    if (taud_list_empty(list))
        return NULL;
    struct taud_link *link = list->next;
    taud_link_remove(link);
    return link;
}

// Moves all members to another list, which must be empty.
static inline void taud_list_move(struct taud_link *from, struct taud_link *to)
{
    if (taud_list_empty(from)) {
        taud_list_init(to);
        return;
    }
    to->next = from->next;
    to->previous = from->previous;
    to->next->previous = to;
    to->previous->next = to;
    taud_list_init(from);
}

#endif
