// SPDX-License-Identifier: MIT
// The handlers of work on stored data: frames at its beginning, each second and at its end, and
// names of snapshots that may not be.
#include "service_rig.h"

#include <poll.h>

enum { LOOKS = 5000 };

// Asks a stream until it ends; returns how it ended.
#define RUN(s, name, stream, status)                                                               \
    do {                                                                                           \
        bool end_ = false;                                                                         \
        for (int look_ = 0; !end_; look_++) {                                                      \
            struct tau_##name##_response batch_ = {0};                                             \
            assert_true(look_ < LOOKS);                                                            \
            (status) = taud_next_##name(next_request(s), stream, &batch_, &end_);                  \
            if ((status) == TAUD_PENDING)                                                          \
                poll(NULL, 0, 2);                                                                  \
            else if ((status) != TAU_STATUS_SUCCESS)                                               \
                break;                                                                             \
        }                                                                                          \
        taud_close_##name(stream);                                                                 \
    } while (0)

static void work_is_done_at_the_end(void **state)
{
    struct service_rig *s = *state;
    void *stream = NULL;
    enum tau_status status;
    create_series(s, "a");
    append_points(s, "a", 0, 5000);
    assert_int_equal(taud_open_flush_data(next_request(s), &stream), TAU_STATUS_SUCCESS);
    RUN(s, flush_data, stream, status);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    append_points(s, "a", 5000, 5000);
    assert_int_equal(taud_open_compact(next_request(s), &stream), TAU_STATUS_SUCCESS);
    RUN(s, compact, stream, status);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
}

static enum tau_status snapshot(struct service_rig *s, const char *name, size_t size)
{
    struct tau_snapshot_request request = {.name = {.data = (const uint8_t *)name, .size = size}};
    void *stream = NULL;
    enum tau_status status = taud_open_snapshot(next_request(s), &request, &stream);
    if (status == TAU_STATUS_SUCCESS)
        RUN(s, snapshot, stream, status);
    return status;
}

static void names_of_snapshots(void **state)
{
    struct service_rig *s = *state;
    char longest[TAU_LIMIT_NAME_BYTES];
    memset(longest, 'x', sizeof longest);
    create_series(s, "a");
    assert_int_equal(snapshot(s, "one", 3), TAU_STATUS_SUCCESS);
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    s->context.detail = &detail;
    assert_int_equal(snapshot(s, "one", 3), TAU_STATUS_INVALID_PAYLOAD);
    s->context.detail = NULL;
    assert_int_equal(detail.field, 0);
    assert_string_equal(detail.expected, "name: there is a snapshot of that name already");
    assert_int_equal(snapshot(s, longest, sizeof longest), TAU_STATUS_SUCCESS);
    static const char *const wrong[] = {"", ".", "..", ".hidden", "a/b", "../a", "a b", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(snapshot(s, wrong[i], strlen(wrong[i])), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(snapshot(s, "a\0b", 3), TAU_STATUS_INVALID_PAYLOAD);
}

// The first look sends a frame where the work is not done yet, the next one waits, and a second
// later there is another.
static void tells_how_far_it_is(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    size_t waits = 0;
    for (int64_t round = 0; round < 20; round++) {
        void *stream = NULL;
        bool end = false;
        struct tau_flush_data_response batch = {0};
        append_points(s, "a", round * 1000, 1000);
        s->context.now_ms = 10;
        assert_int_equal(taud_open_flush_data(next_request(s), &stream), TAU_STATUS_SUCCESS);
        assert_int_equal(taud_next_flush_data(next_request(s), stream, &batch, &end),
                         TAU_STATUS_SUCCESS);
        enum tau_status status = TAU_STATUS_SUCCESS;
        if (!end)
            status = taud_next_flush_data(next_request(s), stream, &batch, &end);
        if (status == TAUD_PENDING) {
            waits++;
            assert_true(s->context.again_ms > 10 && s->context.again_ms < 1010);
            s->context.now_ms = 1010;
            assert_int_equal(taud_next_flush_data(next_request(s), stream, &batch, &end),
                             TAU_STATUS_SUCCESS);
        }
        taud_close_flush_data(stream); // the work goes on
    }
    assert_true(waits > 0);
}

static void begins_nothing_without_memory(void **state)
{
    struct service_rig *s = *state;
    void *stream = s;
    struct taud_context *context = next_request(s);
    memory_fault_after(0);
    enum tau_status status = taud_open_compact(context, &stream);
    assert_true(memory_fault_end());
    assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
    assert_ptr_equal(stream, s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_CASE(work_is_done_at_the_end),
        SERVICE_CASE(names_of_snapshots),
        SERVICE_CASE(tells_how_far_it_is),
        SERVICE_CASE(begins_nothing_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
