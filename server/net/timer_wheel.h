// SPDX-License-Identifier: MIT
// Deadlines of many connections at almost no cost: a timer is put into the slot in which it will be
// looked at, and who owns it then says whether it is really due. So a deadline that only moves
// later, as on every request, changes nothing here. It knows no clock: the time is passed in.
#ifndef TAUD_NET_TIMER_WHEEL_H
#define TAUD_NET_TIMER_WHEEL_H

#include "net/list.h"

#include <stdint.h>

enum {
    TAUD_WHEEL_TICK_MS = 20,
    TAUD_WHEEL_SLOTS = 512, // a timer further away is looked at earlier, and then set again
};

struct taud_timer {
    struct taud_link link;
    uint64_t tick; // in which it will be looked at; meaningful while it is in the wheel
};

struct taud_wheel {
    uint64_t tick;  // the next one to be looked at
    uint64_t first; // no timer stands before this one: where the search for the next begins
    uint64_t count; // timers in the wheel
    struct taud_link slots[TAUD_WHEEL_SLOTS];
};

void taud_wheel_init(struct taud_wheel *wheel, uint64_t now_ms);

// Sees to it that the timer is looked at when deadline_ms has passed, or before. Never late by more
// than a tick, never early but for a deadline beyond the wheel.
void taud_wheel_set(struct taud_wheel *wheel, struct taud_timer *timer, uint64_t now_ms,
                    uint64_t deadline_ms);

// Does nothing when it is not in the wheel.
void taud_wheel_remove(struct taud_wheel *wheel, struct taud_timer *timer);

// Takes out a timer whose slot has come, or returns NULL when there is none. The caller sets it
// again where it is not due.
struct taud_timer *taud_wheel_take(struct taud_wheel *wheel, uint64_t now_ms);

// When the next timer must be looked at; UINT64_MAX when there is none.
uint64_t taud_wheel_next_ms(struct taud_wheel *wheel);

#endif
