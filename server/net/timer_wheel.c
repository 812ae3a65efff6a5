// SPDX-License-Identifier: MIT
// Deadlines of many connections.
#include "net/timer_wheel.h"

void taud_wheel_init(struct taud_wheel *wheel, uint64_t now_ms)
{
    wheel->tick = now_ms / TAUD_WHEEL_TICK_MS;
    wheel->first = wheel->tick;
    wheel->count = 0;
    for (int slot = 0; slot < TAUD_WHEEL_SLOTS; slot++)
        taud_list_init(&wheel->slots[slot]);
}

void taud_wheel_set(struct taud_wheel *wheel, struct taud_timer *timer, uint64_t now_ms,
                    uint64_t deadline_ms)
{
    if (wheel->count == 0) // nothing was looked at while it was empty
        wheel->tick = now_ms / TAUD_WHEEL_TICK_MS;
    uint64_t tick = deadline_ms / TAUD_WHEEL_TICK_MS + (deadline_ms % TAUD_WHEEL_TICK_MS != 0);
    if (tick < wheel->tick)
        tick = wheel->tick;
    if (tick >= wheel->tick + TAUD_WHEEL_SLOTS)
        tick = wheel->tick + TAUD_WHEEL_SLOTS - 1;
    if (taud_link_used(&timer->link)) {
        if (timer->tick <= tick)
            return;
        taud_wheel_remove(wheel, timer);
    }
    timer->tick = tick;
    if (wheel->count == 0 || tick < wheel->first)
        wheel->first = tick;
    taud_list_add(&wheel->slots[tick % TAUD_WHEEL_SLOTS], &timer->link);
    wheel->count++;
}

void taud_wheel_remove(struct taud_wheel *wheel, struct taud_timer *timer)
{
    if (!taud_link_used(&timer->link))
        return;
    taud_link_remove(&timer->link);
    wheel->count--;
}

struct taud_timer *taud_wheel_take(struct taud_wheel *wheel, uint64_t now_ms)
{
    uint64_t last = now_ms / TAUD_WHEEL_TICK_MS;
    if (last >= wheel->tick + TAUD_WHEEL_SLOTS && wheel->count > 0)
        wheel->tick = last - TAUD_WHEEL_SLOTS + 1; // every slot once is enough
    for (; wheel->count > 0 && wheel->tick <= last; wheel->tick++) {
        struct taud_link *link = taud_list_take(&wheel->slots[wheel->tick % TAUD_WHEEL_SLOTS]);
        if (link != NULL) {
            wheel->count--;
            return TAUD_LINKED(link, struct taud_timer, link);
        }
    }
    return NULL;
}

uint64_t taud_wheel_next_ms(struct taud_wheel *wheel)
{
    if (wheel->count == 0)
        return UINT64_MAX;
    if (wheel->first < wheel->tick)
        wheel->first = wheel->tick;
    while (taud_list_empty(&wheel->slots[wheel->first % TAUD_WHEEL_SLOTS]))
        wheel->first++;
    return wheel->first * TAUD_WHEEL_TICK_MS;
}
