// SPDX-License-Identifier: MIT
// How other threads reach a worker.
#include "transport/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct taud_mailbox {
    pthread_mutex_t lock; // covers all below but the references
    struct taud_message *first;
    struct taud_message **last;
    bool closed;
    taud_mailbox_wake *wake;
    void *user_data;
    _Atomic unsigned references;
};

struct taud_mailbox *taud_mailbox_new(taud_mailbox_wake *wake, void *user_data)
{
    struct taud_mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (mailbox == NULL)
        return NULL;
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->last = &mailbox->first;
    mailbox->wake = wake;
    mailbox->user_data = user_data;
    atomic_init(&mailbox->references, 1);
    return mailbox;
}

struct taud_mailbox *taud_mailbox_reference(struct taud_mailbox *mailbox)
{
    atomic_fetch_add_explicit(&mailbox->references, 1, memory_order_relaxed);
    return mailbox;
}

void taud_mailbox_release(struct taud_mailbox *mailbox)
{
    if (mailbox == NULL ||
        atomic_fetch_sub_explicit(&mailbox->references, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

bool taud_mailbox_post(struct taud_mailbox *mailbox, struct taud_message *message)
{
    message->next = NULL;
    pthread_mutex_lock(&mailbox->lock);
    bool open = !mailbox->closed;
    if (open) {
        bool first = mailbox->first == NULL;
        *mailbox->last = message;
        mailbox->last = &message->next;
        if (first) // under the lock: what wake uses is there until the mailbox is closed
            mailbox->wake(mailbox->user_data);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return open;
}

static struct taud_message *take_all(struct taud_mailbox *mailbox, bool close)
{
    pthread_mutex_lock(&mailbox->lock);
    struct taud_message *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    mailbox->closed = mailbox->closed || close;
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}

struct taud_message *taud_mailbox_collect(struct taud_mailbox *mailbox)
{
    return take_all(mailbox, false);
}

struct taud_message *taud_mailbox_close(struct taud_mailbox *mailbox)
{
    return take_all(mailbox, true);
}
