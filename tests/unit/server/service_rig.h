// SPDX-License-Identifier: MIT
// What the tests of the services share: the real engine, and a context as the transport gives it to
// a handler.
#ifndef SERVICE_RIG_H
#define SERVICE_RIG_H

#include "engine_rig.h"
#include "memory_fault.h"

#include "taud_handlers.h"
#include "transport/request_arena.h"

#include <string.h>

struct service_rig {
    struct engine_rig rig;
    struct taud_request_arena arena;
    struct taud_context context;
};

static int service_setup(void **state)
{
    struct service_rig *s = calloc(1, sizeof *s);
    engine_rig_init(&s->rig, NULL);
    engine_rig_startup(&s->rig);
    taud_request_arena_init(&s->arena, 0); // nothing is kept: each request asks for memory
    s->context.engine = s->rig.engine;
    s->context.arena = &s->arena;
    *state = s;
    return 0;
}

static int service_teardown(void **state)
{
    struct service_rig *s = *state;
    taud_request_arena_done(&s->arena);
    engine_rig_stop(&s->rig);
    engine_rig_done(&s->rig);
    free(s);
    return 0;
}

// The context of the next request: its memory is given back, its log position is none.
static inline struct taud_context *next_request(struct service_rig *s)
{
    taud_request_arena_reset(&s->arena);
    s->context.log_position = 0;
    return &s->context;
}

static inline struct tau_label label_of(const char *text)
{
    struct tau_label label = {{0}};
    memcpy(label.bytes, text, strlen(text));
    return label;
}

static inline void create_series(struct service_rig *s, const char *label)
{
    struct tau_create_series_request request = {label_of(label)};
    assert_int_equal(taud_handle_create_series(next_request(s), &request), TAU_STATUS_SUCCESS);
}

// Appends the points first, first + 1, ... of which each has its timestamp for a value.
static inline void append_points(struct service_rig *s, const char *label, int64_t first,
                                 size_t count)
{
    int64_t *timestamps = malloc(count * sizeof *timestamps);
    double *values = malloc(count * sizeof *values);
    for (size_t index = 0; index < count; index++) {
        timestamps[index] = first + (int64_t)index;
        values[index] = (double)timestamps[index];
    }
    struct tau_batch_append_request request = {
        .label = label_of(label),
        .count = (uint32_t)count,
        .timestamps = {.data = timestamps, .count = count},
        .values = {.data = values, .count = count},
    };
    struct tau_batch_append_response response;
    assert_int_equal(taud_handle_batch_append(next_request(s), &request, &response),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted, count);
    free(timestamps);
    free(values);
}

#define SERVICE_CASE(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)

#endif
