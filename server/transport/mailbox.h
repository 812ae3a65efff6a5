// SPDX-License-Identifier: MIT
// How other threads reach a worker: a queue of messages that any thread may post to and one thread
// empties. It is counted by reference, since a request that is completed late may outlive the
// worker.
#ifndef TAUD_TRANSPORT_MAILBOX_H
#define TAUD_TRANSPORT_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

enum taud_message_kind {
    TAUD_MESSAGE_COMPLETION, // struct taud_pending
    TAUD_MESSAGE_PUSH,       // struct taud_push_message
    TAUD_MESSAGE_ALARM,      // struct taud_alarm
    TAUD_MESSAGE_ADOPT,      // a new connection; belongs to net/
    TAUD_MESSAGE_STOP,
};

// The first member of what is posted.
struct taud_message {
    struct taud_message *next;
    enum taud_message_kind kind;
};

struct taud_mailbox;

// Called on the posting thread when the first message came since the last collection.
typedef void taud_mailbox_wake(void *user_data);

// Returns NULL when there is no memory. The caller holds the first reference.
__attribute__((warn_unused_result)) struct taud_mailbox *taud_mailbox_new(taud_mailbox_wake *wake,
                                                                          void *user_data);
struct taud_mailbox *taud_mailbox_reference(struct taud_mailbox *mailbox);

// Gives back a reference. The mailbox must have been closed before the last one goes.
void taud_mailbox_release(struct taud_mailbox *mailbox);

// Takes over the message. Returns false, and leaves it to the caller, when the mailbox is closed.
__attribute__((warn_unused_result)) bool taud_mailbox_post(struct taud_mailbox *mailbox,
                                                           struct taud_message *message);

// Returns all messages in the order of their posting, or NULL. Only the worker's thread.
struct taud_message *taud_mailbox_collect(struct taud_mailbox *mailbox);

// No post succeeds any more, and wake is never called again. Returns what was still in it.
struct taud_message *taud_mailbox_close(struct taud_mailbox *mailbox);

#endif
