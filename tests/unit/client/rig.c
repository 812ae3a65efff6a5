/* SPDX-License-Identifier: MIT */
/*
 * The workbench of the sans-I/O tests.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fault.h"
#include "tau_codec.h"

struct fake_memory rig_memory;

/* --- bytes ----------------------------------------------------------------------------------- */

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        bytes->capacity = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (bytes->data == NULL)
            abort();
    }
    if (size > 0)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

/* --- the client ------------------------------------------------------------------------------ */

void rig_options(struct tau_options *options)
{
    tau_options_init(options);
    options->request_timeout_ms = 1000;
}

bool rig_begin(struct rig *rig, const struct tau_options *given)
{
    struct tau_options options;
    struct tau_allocator allocator = fake_allocator(&rig_memory);
    rig_options(&options);
    if (given != NULL)
        options = *given;
    options.allocator = &allocator;
    memset(rig, 0, sizeof(*rig));
    if (tau_async_new(&options, &rig->async, NULL) != TAU_STATUS_SUCCESS)
        return false;
    rig->core = &rig->async->core;
    rig->now_ns = tau_clock_now_ns();
    return true;
}

void rig_end(struct rig *rig)
{
    tau_async_free(rig->async);
    bytes_free(&rig->out);
}

void rig_open(struct rig *rig)
{
    tau_core_opening(rig->core, rig->now_ns);
    tau_core_connected(rig->core, rig->now_ns);
}

void rig_ready(struct rig *rig)
{
    struct bytes reply = {0};
    rig_open(rig);
    rig_flush(rig);
    put_ok(&reply);
    put_negotiation(&reply);
    rig_feed_bytes(rig, &reply);
    bytes_free(&reply);
    rig->out.size = 0;
}

int rig_plug(struct rig *rig)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        abort();
    rig->async->fd = ends[0];
    return ends[1];
}

void rig_flush(struct rig *rig)
{
    struct tau_slice slices[4];
    while (tau_core_has_output(rig->core)) {
        size_t count = tau_core_output(rig->core, slices, 4);
        size_t size = 0;
        for (size_t i = 0; i < count; i++) {
            bytes_add(&rig->out, slices[i].data, slices[i].size);
            size += slices[i].size;
        }
        tau_core_sent(rig->core, size);
    }
}

void rig_feed(struct rig *rig, const void *data, size_t size, size_t piece)
{
    const uint8_t *at = data;
    while (size > 0 && tau_core_is_open(rig->core)) {
        size_t capacity;
        uint8_t *room = tau_core_room(rig->core, &capacity);
        if (room == NULL) {
            struct tau_error error;
            tau_fault_status(&error, TAU_STATUS_NO_MEMORY);
            tau_core_lost(rig->core, &error, rig->now_ns);
            return;
        }
        size_t part = piece > 0 && piece < capacity ? piece : capacity;
        if (part > size)
            part = size;
        memcpy(room, at, part);
        tau_core_received(rig->core, part, rig->now_ns);
        at += part;
        size -= part;
    }
}

void rig_feed_bytes(struct rig *rig, const struct bytes *bytes)
{
    rig_feed(rig, bytes->data, bytes->size, 0);
}

void rig_lose(struct rig *rig)
{
    struct tau_error error;
    tau_fault(&error, TAU_STATUS_CONNECTION_LOST, 0, "the server closed the connection");
    tau_core_lost(rig->core, &error, rig->now_ns);
}

void rig_advance(struct rig *rig, int64_t ms)
{
    rig->now_ns += ms * TAU_NS_PER_MS;
    tau_core_tick(rig->core, rig->now_ns);
}

/* --- frames ---------------------------------------------------------------------------------- */

void put_frame(struct bytes *bytes, uint8_t opcode, uint8_t flags, const void *payload, size_t size)
{
    uint8_t header[TAU_HEADER_SIZE];
    struct tau_header fields = {.opcode = opcode, .flags = flags, .payload_length = (uint32_t)size};
    tau_header_store(header, &fields);
    bytes_add(bytes, header, sizeof(header));
    bytes_add(bytes, payload, size);
}

void put_ok(struct bytes *bytes)
{
    put_frame(bytes, TAU_OPCODE_OK, 0, NULL, 0);
}

void put_error(struct bytes *bytes, enum tau_status status)
{
    uint8_t code = (uint8_t)status;
    put_frame(bytes, TAU_OPCODE_ERR, 0, &code, 1);
}

void put_detailed_error(struct bytes *bytes, enum tau_status status, const char *text)
{
    uint8_t data[1024];
    struct tau_writer out = tau_writer_over(data, sizeof(data));
    struct tau_err error = {.status = status,
                            .has_detailed_errors = true,
                            .field = 1,
                            .offset = 32,
                            .text = tau_slice_text(text)};
    if (!tau_err_encode(&error, &out))
        abort();
    put_frame(bytes, TAU_OPCODE_ERR, 0, data, out.size);
}

void put_value(struct bytes *bytes, double value)
{
    uint8_t data[16];
    struct tau_writer out = tau_writer_over(data, sizeof(data));
    struct tau_query_point_response response = {.has_value = true, .value = value};
    if (!tau_query_point_response_encode(&response, &out))
        abort();
    put_frame(bytes, TAU_OPCODE_OK, 0, data, out.size);
}

void put_batch(struct bytes *bytes, uint32_t count, int64_t first, bool more)
{
    static uint8_t data[TAU_LIMIT_STREAM_FRAME_BYTES];
    static int64_t timestamps[TAU_LIMIT_RANGE_BATCH_POINTS];
    static double values[TAU_LIMIT_RANGE_BATCH_POINTS];
    struct tau_writer out = tau_writer_over(data, sizeof(data));
    for (uint32_t i = 0; i < count; i++) {
        timestamps[i] = first + i;
        values[i] = (double)i;
    }
    struct tau_query_range_response response = {
        .count = count,
        .timestamps = {.data = timestamps, .count = count},
        .values = {.data = values, .count = count},
    };
    if (!tau_query_range_response_encode(&response, &out))
        abort();
    put_frame(bytes, TAU_OPCODE_OK, more ? TAU_FLAG_MORE : 0, data, out.size);
}

void put_negotiation(struct bytes *bytes)
{
    uint8_t data[4096];
    struct tau_writer out = tau_writer_over(data, sizeof(data));
    struct tau_operation_fingerprint operations[TAU_OPERATION_COUNT];
    struct tau_limit_value limits[] = {{.number = 1, .value = TAU_LIMIT_PAYLOAD_BYTES},
                                       {.number = 60000, .value = 1}};
    for (size_t i = 0; i < TAU_OPERATION_COUNT; i++) {
        operations[i].opcode = tau_operations[i].opcode;
        operations[i].fingerprint = tau_operations[i].fingerprint;
    }
    struct tau_negotiate_response response = {
        .features = TAU_FEATURE_DETAILED_ERRORS,
        .specification = 42,
        .server_name = tau_slice_text("taud test"),
        .limits = {.data = limits, .count = 2},
        .operations = {.data = operations, .count = TAU_OPERATION_COUNT},
        .limit_count = 2,
        .operation_count = TAU_OPERATION_COUNT,
    };
    if (!tau_negotiate_response_encode(&response, &out))
        abort();
    put_frame(bytes, TAU_OPCODE_OK, 0, data, out.size);
}

/* --- requests -------------------------------------------------------------------------------- */

/* A tag and its rig in one pointer: the rig is the test's only one. */
static struct rig *current;

static void note(uintptr_t tag, enum tau_status status, bool has_value, double value)
{
    if (current->count == RIG_LOG_SIZE)
        abort();
    current->log[current->count++] =
        (struct completion){.tag = tag, .status = status, .has_value = has_value, .value = value};
}

static void on_plain(void *user_data, enum tau_status status, const struct tau_error *error)
{
    if ((error == NULL) != (status == TAU_STATUS_SUCCESS))
        abort();
    note((uintptr_t)user_data, status, false, 0);
}

static void on_value(void *user_data, enum tau_status status,
                     const struct tau_query_point_response *response, const struct tau_error *error)
{
    (void)error;
    bool has_value = response != NULL && response->has_value;
    note((uintptr_t)user_data, status, has_value, has_value ? response->value : 0);
}

static void on_latest(void *user_data, enum tau_status status,
                      const struct tau_query_latest_response *response,
                      const struct tau_error *error)
{
    (void)error;
    bool has_value = response != NULL && response->has_point;
    note((uintptr_t)user_data, status, has_value, has_value ? response->point.value : 0);
}

static bool on_batch(void *user_data, const struct tau_query_range_response *batch)
{
    (void)user_data;
    current->batch_points += batch->count;
    current->batches++;
    return current->stop_after == 0 || current->batches < current->stop_after;
}

static const struct tau_label label = {.bytes = "cpu.load"};

/* The time of a request that was made runs from the clock of the workbench. */
static enum tau_status begun(struct rig *rig, enum tau_status status)
{
    tau_core_start_deadlines(rig->core, rig->now_ns);
    return status;
}

enum tau_status rig_append(struct rig *rig, uintptr_t tag)
{
    struct tau_append_request request = {.label = label, .timestamp = (int64_t)tag, .value = 1};
    current = rig;
    return begun(rig, tau_async_append(rig->async, &request, on_plain, (void *)tag));
}

enum tau_status rig_query(struct rig *rig, uintptr_t tag)
{
    struct tau_query_point_request request = {.label = label, .timestamp = (int64_t)tag};
    current = rig;
    return begun(rig, tau_async_query_point(rig->async, &request, on_value, (void *)tag));
}

enum tau_status rig_latest(struct rig *rig, uintptr_t tag)
{
    struct tau_query_latest_request request = {.label = label};
    current = rig;
    return begun(rig, tau_async_query_latest(rig->async, &request, on_latest, (void *)tag));
}

enum tau_status rig_ping(struct rig *rig, uintptr_t tag)
{
    struct tau_ping_request request = {0};
    current = rig;
    return begun(rig, tau_async_ping(rig->async, &request, on_plain, (void *)tag));
}

enum tau_status rig_range(struct rig *rig, uintptr_t tag)
{
    struct tau_query_range_request request = {.label = label, .from = 0, .to = INT64_MAX};
    current = rig;
    return begun(rig, tau_async_query_range(rig->async, &request, on_batch, on_plain, (void *)tag));
}

uint8_t sent_opcode(const struct rig *rig, size_t place)
{
    size_t at = 0;
    while (rig->out.size - at >= TAU_HEADER_SIZE) {
        struct tau_header header;
        if (tau_header_decode(rig->out.data + at, &header, NULL) != TAU_STATUS_SUCCESS)
            abort();
        if (place-- == 0)
            return header.opcode;
        at += TAU_HEADER_SIZE + header.payload_length;
    }
    return 0;
}
