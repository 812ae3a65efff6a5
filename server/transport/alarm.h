// SPDX-License-Identifier: MIT
// How a stream that has nothing to send yet is asked again: another thread rings its alarm, which
// wakes the worker of its session. The alarm belongs to the stream; while it is in the mailbox it
// outlives it. Only the worker's thread touches the session. Who rings is told in
// service/context.h.
#ifndef TAUD_TRANSPORT_ALARM_H
#define TAUD_TRANSPORT_ALARM_H

#include "transport/mailbox.h"
#include "transport/operation.h"

#include <stdatomic.h>

struct taud_alarm {
    struct taud_message message; // first: posted when it rings
    struct taud_mailbox *mailbox;
    struct taud_session *session;
    uint64_t identity;    // of the session: the memory may hold another one by now
    _Atomic bool ringing; // it is in the mailbox
    _Atomic unsigned references;
};

// Takes the alarm out of the mailbox. Returns the session that is to go on, or NULL when that is
// gone. The worker's thread.
struct taud_session *taud_alarm_answer(struct taud_alarm *alarm);

// Gives back what was in a mailbox that nobody empties any more.
void taud_alarm_drop(struct taud_alarm *alarm);

#endif
