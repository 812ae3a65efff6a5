/* SPDX-License-Identifier: MIT */
/*
 * The small server of the client's tests.
 */
#include "fake_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tau_codec.h"
#include "wire/slice.h"

#define INPUT_SIZE (TAU_HEADER_SIZE + (size_t)TAU_LIMIT_PAYLOAD_BYTES)

struct connection {
    struct fake_server *server;
    int fd;
    uint8_t *input;
    size_t size;
    uint8_t *output;
    size_t output_size;
    bool ended;
};

/* --- answers --------------------------------------------------------------------------------- */

static void flush(struct connection *connection)
{
    size_t sent = 0;
    while (sent < connection->output_size) {
        ssize_t part = send(connection->fd, connection->output + sent,
                            connection->output_size - sent, MSG_NOSIGNAL);
        if (part <= 0) {
            connection->ended = true;
            break;
        }
        sent += (size_t)part;
    }
    connection->output_size = 0;
}

/* Room for a payload; it is finished by `answer`. */
static struct tau_writer payload_room(struct connection *connection)
{
    if (connection->output_size > INPUT_SIZE / 2)
        flush(connection);
    size_t begin = connection->output_size + TAU_HEADER_SIZE;
    return tau_writer_over(connection->output + begin, INPUT_SIZE - begin);
}

static void answer(struct connection *connection, uint8_t opcode, uint8_t flags, size_t size)
{
    struct tau_header header = {.opcode = opcode, .flags = flags, .payload_length = (uint32_t)size};
    tau_header_store(connection->output + connection->output_size, &header);
    connection->output_size += TAU_HEADER_SIZE + size;
}

static void answer_ok(struct connection *connection)
{
    (void)payload_room(connection);
    answer(connection, TAU_OPCODE_OK, 0, 0);
}

static void answer_error(struct connection *connection, enum tau_status status)
{
    struct tau_writer out = payload_room(connection);
    out.data[0] = (uint8_t)status;
    answer(connection, TAU_OPCODE_ERR, 0, 1);
}

/* --- operations ------------------------------------------------------------------------------ */

static void keep(struct fake_server *server, const struct tau_row *row)
{
    pthread_mutex_lock(&server->lock);
    if (server->row_count == server->row_capacity) {
        server->row_capacity = server->row_capacity * 2 + 1024;
        server->rows = realloc(server->rows, server->row_capacity * sizeof(*row));
        if (server->rows == NULL)
            abort();
    }
    server->rows[server->row_count++] = *row;
    pthread_mutex_unlock(&server->lock);
}

/* Negative timestamps are refused, a few others have a meaning. */
static bool accept_row(struct connection *connection, const struct tau_row *row)
{
    if (row->timestamp == FAKE_CLOSE)
        connection->ended = true;
    if (row->timestamp == FAKE_SLOW)
        usleep(FAKE_SLOW_MS * 1000);
    if (row->timestamp < 0)
        return false;
    keep(connection->server, row);
    return true;
}

static void answer_rows(struct connection *connection,
                        struct tau_row (*row_at)(const void *, size_t), const void *request,
                        size_t count)
{
    struct tau_refused_row *refused = calloc(count + 1, sizeof(*refused));
    size_t refused_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct tau_row row = row_at(request, i);
        if (!accept_row(connection, &row))
            refused[refused_count++] =
                (struct tau_refused_row){.row = (uint32_t)i, .status = TAU_STATUS_OUT_OF_ORDER};
    }
    struct tau_batch_append_response response = {
        .accepted = (uint32_t)(count - refused_count),
        .refused_count = (uint32_t)refused_count,
        .refused = {.data = refused, .count = refused_count},
    };
    struct tau_writer out = payload_room(connection);
    if (!tau_batch_append_response_encode(&response, &out))
        abort();
    answer(connection, TAU_OPCODE_OK, 0, out.size);
    free(refused);
}

static struct tau_row column_row(const void *request, size_t index)
{
    const struct tau_batch_append_request *batch = request;
    return (struct tau_row){.label = batch->label,
                            .timestamp = tau_i64_at(batch->timestamps, index),
                            .value = tau_f64_at(batch->values, index)};
}

static struct tau_row multi_row(const void *request, size_t index)
{
    const struct tau_multi_append_request *multi = request;
    return tau_row_at(multi->rows, index);
}

static void do_append(struct connection *connection, struct tau_slice payload)
{
    struct tau_append_request request = {0};
    if (tau_append_request_decode(payload, &request, NULL) != TAU_STATUS_SUCCESS)
        abort();
    struct tau_row row = {
        .label = request.label, .timestamp = request.timestamp, .value = request.value};
    if (accept_row(connection, &row))
        answer_ok(connection);
    else
        answer_error(connection, TAU_STATUS_OUT_OF_ORDER);
}

static void do_query(struct connection *connection, struct tau_slice payload)
{
    struct tau_query_point_request request = {0};
    if (tau_query_point_request_decode(payload, &request, NULL) != TAU_STATUS_SUCCESS)
        abort();
    if (request.timestamp == FAKE_SLOW)
        usleep(FAKE_SLOW_MS * 1000);
    if (request.timestamp == FAKE_CLOSE)
        connection->ended = true;
    if (request.timestamp == FAKE_SILENT)
        return;
    struct tau_query_point_response response = {.has_value = true,
                                                .value = (double)request.timestamp};
    struct tau_writer out = payload_room(connection);
    if (!tau_query_point_response_encode(&response, &out))
        abort();
    answer(connection, TAU_OPCODE_OK, 0, out.size);
}

static void do_range(struct connection *connection)
{
    int64_t timestamps[1000];
    double values[1000];
    unsigned batches = connection->server->plan.range_batches;
    for (unsigned batch = 0; batch <= batches; batch++) {
        size_t count = batch < batches ? 1000 : 0;
        for (size_t i = 0; i < count; i++) {
            timestamps[i] = (int64_t)(batch * 1000 + i);
            values[i] = (double)i;
        }
        struct tau_query_range_response response = {
            .count = (uint32_t)count,
            .timestamps = {.data = timestamps, .count = count},
            .values = {.data = values, .count = count},
        };
        struct tau_writer out = payload_room(connection);
        if (!tau_query_range_response_encode(&response, &out))
            abort();
        answer(connection, TAU_OPCODE_OK, batch < batches ? TAU_FLAG_MORE : 0, out.size);
    }
}

static void do_negotiate(struct connection *connection)
{
    struct tau_operation_fingerprint operations[TAU_OPERATION_COUNT];
    if (connection->server->plan.legacy) {
        answer_error(connection, TAU_STATUS_BAD_OPCODE);
        flush(connection);
        connection->ended = true;
        return;
    }
    for (size_t i = 0; i < TAU_OPERATION_COUNT; i++) {
        operations[i].opcode = tau_operations[i].opcode;
        operations[i].fingerprint = tau_operations[i].fingerprint;
    }
    struct tau_negotiate_response response = {
        .server_name = tau_slice_text("fake"),
        .operation_count = TAU_OPERATION_COUNT,
        .operations = {.data = operations, .count = TAU_OPERATION_COUNT},
    };
    struct tau_writer out = payload_room(connection);
    if (!tau_negotiate_response_encode(&response, &out))
        abort();
    answer(connection, TAU_OPCODE_OK, 0, out.size);
}

static void do_connect(struct connection *connection)
{
    if (connection->server->plan.refuse)
        answer_error(connection, TAU_STATUS_AUTH_FAILED);
    else
        answer_ok(connection);
}

static void execute(struct connection *connection, uint8_t opcode, struct tau_slice payload)
{
    struct tau_batch_append_request batch = {0};
    struct tau_multi_append_request multi = {0};
    switch (opcode) {
    case TAU_OPCODE_CONNECT:
        do_connect(connection);
        break;
    case TAU_OPCODE_NEGOTIATE:
        do_negotiate(connection);
        break;
    case TAU_OPCODE_PING:
        (void)payload_room(connection);
        answer(connection, TAU_OPCODE_PONG, 0, 0);
        break;
    case TAU_OPCODE_APPEND:
        do_append(connection, payload);
        break;
    case TAU_OPCODE_BATCH_APPEND:
        if (tau_batch_append_request_decode(payload, &batch, NULL) != TAU_STATUS_SUCCESS)
            abort();
        answer_rows(connection, column_row, &batch, batch.timestamps.count);
        break;
    case TAU_OPCODE_MULTI_APPEND:
        if (tau_multi_append_request_decode(payload, &multi, NULL) != TAU_STATUS_SUCCESS)
            abort();
        answer_rows(connection, multi_row, &multi, multi.rows.count);
        break;
    case TAU_OPCODE_QUERY_POINT:
        do_query(connection, payload);
        break;
    case TAU_OPCODE_QUERY_RANGE:
        do_range(connection);
        break;
    default:
        answer_ok(connection);
    }
}

/* --- connections ----------------------------------------------------------------------------- */

static void execute_frames(struct connection *connection)
{
    struct fake_server *server = connection->server;
    size_t at = 0;
    while (!connection->ended && connection->size - at >= TAU_HEADER_SIZE) {
        struct tau_header header;
        if (tau_header_decode(connection->input + at, &header, NULL) != TAU_STATUS_SUCCESS)
            abort();
        if (connection->size - at - TAU_HEADER_SIZE < header.payload_length)
            break;
        pthread_mutex_lock(&server->lock);
        server->requests[header.opcode]++;
        pthread_mutex_unlock(&server->lock);
        execute(connection, header.opcode,
                tau_slice_of(connection->input + at + TAU_HEADER_SIZE, header.payload_length));
        at += TAU_HEADER_SIZE + header.payload_length;
    }
    connection->size -= at;
    memmove(connection->input, connection->input + at, connection->size);
    if (!connection->ended)
        flush(connection);
}

/* Waits for input; false when the server stops or the connection was silent for too long. */
static bool wait_for(struct fake_server *server, int fd, int timeout_ms)
{
    struct pollfd items[2] = {{.fd = fd, .events = POLLIN},
                              {.fd = server->stop[0], .events = POLLIN}};
    return poll(items, 2, timeout_ms) > 0 && items[1].revents == 0;
}

static void serve(struct fake_server *server, int fd)
{
    struct connection connection = {
        .server = server, .fd = fd, .input = malloc(INPUT_SIZE), .output = malloc(INPUT_SIZE)};
    int timeout_ms = server->plan.close_after_ms > 0 ? (int)server->plan.close_after_ms : -1;
    while (!connection.ended && wait_for(server, fd, timeout_ms)) {
        ssize_t size =
            recv(fd, connection.input + connection.size, INPUT_SIZE - connection.size, 0);
        if (size <= 0)
            break;
        connection.size += (size_t)size;
        if (server->plan.mute)
            connection.size = 0;
        else
            execute_frames(&connection);
    }
    free(connection.input);
    free(connection.output);
}

static void *run(void *argument)
{
    struct fake_server *server = argument;
    while (wait_for(server, server->listener, -1)) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            continue;
        pthread_mutex_lock(&server->lock);
        server->connections++;
        pthread_mutex_unlock(&server->lock);
        serve(server, fd);
        close(fd);
    }
    return NULL;
}

/* --- starting and stopping ------------------------------------------------------------------- */

static bool listen_local(struct fake_server *server, const char *path)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    snprintf(local.sun_path, sizeof(local.sun_path), "%s", path);
    snprintf(server->address, sizeof(server->address), "unix:%s", path);
    unlink(path);
    server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    return bind(server->listener, (struct sockaddr *)&local, sizeof(local)) == 0;
}

static bool listen_tcp(struct fake_server *server, const char *host)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
    struct sockaddr *address = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t size = is_v4 ? sizeof(v4) : sizeof(v6);
    if (!is_v4)
        inet_pton(AF_INET6, host, &v6.sin6_addr);
    server->listener = socket(address->sa_family, SOCK_STREAM, 0);
    if (server->listener < 0 || bind(server->listener, address, size) != 0)
        return false;
    getsockname(server->listener, address, &size);
    snprintf(server->address, sizeof(server->address), is_v4 ? "%s:%u" : "[%s]:%u", host,
             ntohs(is_v4 ? v4.sin_port : v6.sin6_port));
    return true;
}

bool fake_server_start(struct fake_server *server, const struct fake_plan *plan)
{
    memset(server, 0, sizeof(*server));
    server->plan = *plan;
    const char *address = plan->address != NULL ? plan->address : "127.0.0.1";
    bool bound = strncmp(address, "unix:", 5) == 0 ? listen_local(server, address + 5)
                                                   : listen_tcp(server, address);
    if (!bound || listen(server->listener, 8) != 0 || pipe(server->stop) != 0) {
        close(server->listener);
        return false;
    }
    pthread_mutex_init(&server->lock, NULL);
    return pthread_create(&server->thread, NULL, run, server) == 0;
}

void fake_server_stop(struct fake_server *server)
{
    if (write(server->stop[1], "", 1) != 1)
        abort();
    pthread_join(server->thread, NULL);
    close(server->stop[0]);
    close(server->stop[1]);
    close(server->listener);
    if (strncmp(server->address, "unix:", 5) == 0)
        unlink(server->address + 5);
    pthread_mutex_destroy(&server->lock);
    free(server->rows);
}

size_t fake_server_requests(struct fake_server *server, uint8_t opcode)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->requests[opcode];
    pthread_mutex_unlock(&server->lock);
    return count;
}

size_t fake_server_connections(struct fake_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->connections;
    pthread_mutex_unlock(&server->lock);
    return count;
}

size_t fake_server_rows(struct fake_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->row_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}
