// SPDX-License-Identifier: MIT
// Alarms of streams. One is in the mailbox at most once; it stops ringing before its session goes
// on, so that what happens from then on rings again.
#include "transport/alarm.h"

#include "transport/session.h"

#include <stdlib.h>

struct taud_alarm *taud_alarm_new(struct taud_context *context)
{
    struct taud_alarm *alarm = calloc(1, sizeof *alarm);
    if (alarm == NULL)
        return NULL;
    alarm->message.kind = TAUD_MESSAGE_ALARM;
    alarm->mailbox = taud_mailbox_reference(context->mailbox);
    alarm->session = context->session;
    alarm->identity = context->identity;
    atomic_init(&alarm->ringing, false);
    atomic_init(&alarm->references, 1);
    return alarm;
}

void taud_alarm_drop(struct taud_alarm *alarm)
{
    if (atomic_fetch_sub_explicit(&alarm->references, 1, memory_order_acq_rel) != 1)
        return;
    taud_mailbox_release(alarm->mailbox);
    free(alarm);
}

void taud_alarm_free(struct taud_alarm *alarm)
{
    if (alarm != NULL)
        taud_alarm_drop(alarm);
}

void taud_alarm_ring(struct taud_alarm *alarm)
{
    if (atomic_exchange(&alarm->ringing, true))
        return;
    atomic_fetch_add_explicit(&alarm->references, 1, memory_order_relaxed);
    if (!taud_mailbox_post(alarm->mailbox, &alarm->message))
        taud_alarm_drop(alarm);
}

struct taud_session *taud_alarm_answer(struct taud_alarm *alarm)
{
    atomic_store(&alarm->ringing, false);
    struct taud_session *session = alarm->session;
    bool there = session->identity == alarm->identity;
    taud_alarm_drop(alarm);
    return there ? session : NULL;
}
