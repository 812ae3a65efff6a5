// SPDX-License-Identifier: MIT
//
// A load generator for taud, of the shape of redis-benchmark: one thread, some connections, a fixed
// number of requests in flight on each. Requests and the replies they must get are all built before
// the clock starts; every reply is compared byte for byte, so a fast wrong answer ends the run.
// It speaks the wire format directly and must not use the SDK, whose own cost it would measure.

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tau_codec.h"

enum { MAX_FRAME = TAU_HEADER_SIZE + 48, MAX_REPLY = TAU_HEADER_SIZE + 9, SERIES_LABEL_SIZE = 32 };
enum { FILL_POINTS = 10000, FILL_FRAMES = 8 }; // a column, and how many are underway
enum { FILL_FRAME = TAU_HEADER_SIZE + 36 + FILL_POINTS * 16, FILL_REPLY = TAU_HEADER_SIZE + 8 };

enum operation { OPERATION_PING, OPERATION_APPEND, OPERATION_QUERY, OPERATION_FILL };

struct options {
    const char *host;
    uint16_t port;
    enum operation operation;
    const char *operation_name;
    size_t connection_count;
    size_t depth;
    size_t request_count;
    size_t series_count;
    int64_t points_before; // that each series holds at the beginning
    bool filled;           // by an earlier run; else a query begins with storing them
    struct tau_certificate certificate;
};

// A round is `depth` requests that are sent together; the next begins when all are answered.
struct connection {
    int fd;
    uint8_t *requests; // of all rounds, one behind the other
    uint8_t *expected; // their replies
    uint8_t *replies;  // room for one round
    size_t request_size, reply_size; // bytes of one round
    size_t round, round_count;
    size_t sent, received; // bytes of this round
    size_t first_series, series_count;
    uint64_t round_started_ns;
    uint64_t random;
    uint32_t events; // what epoll watches for
};

struct load {
    struct options options;
    struct connection *connections;
    int64_t *next_timestamp; // per series
    uint32_t *latencies_us10; // a sample per round, in tenths of a microsecond
    size_t round_count, rounds_done;
};

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        die("calloc");
    return p;
}

static struct tau_label series_label(size_t series)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, SERIES_LABEL_SIZE, "load.%08zu", series);
    return label;
}

// The value that the point of this series and timestamp has in every run: it rises by a hundredth
// each time, and up to 63 hundredths of noise lie over that.
static double point_value(size_t series, int64_t timestamp)
{
    uint64_t noise = (uint64_t)series << 40 ^ (uint64_t)timestamp;
    noise = (noise ^ noise >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    noise = (noise ^ noise >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((int64_t)series * 3100 + timestamp + (int64_t)(noise >> 58)) / 100.0;
}

static size_t put_frame(uint8_t *out, enum tau_opcode opcode, const uint8_t *payload, size_t size)
{
    struct tau_header header = {.opcode = (uint8_t)opcode, .payload_length = (uint32_t)size};
    tau_header_store(out, &header);
    if (size)
        memcpy(out + TAU_HEADER_SIZE, payload, size);
    return TAU_HEADER_SIZE + size;
}

static size_t put_append(uint8_t *out, size_t series, int64_t timestamp)
{
    struct tau_append_request request = {.label = series_label(series),
                                         .timestamp = timestamp,
                                         .value = point_value(series, timestamp)};
    uint8_t payload[48];
    struct tau_writer writer = {.data = payload, .capacity = sizeof payload};
    if (!tau_append_request_encode(&request, &writer))
        die("encode");
    return put_frame(out, TAU_OPCODE_APPEND, payload, writer.size);
}

static size_t put_query(uint8_t *out, size_t series, int64_t timestamp)
{
    struct tau_query_point_request request = {.label = series_label(series),
                                              .timestamp = timestamp};
    uint8_t payload[40];
    struct tau_writer writer = {.data = payload, .capacity = sizeof payload};
    if (!tau_query_point_request_encode(&request, &writer))
        die("encode");
    return put_frame(out, TAU_OPCODE_QUERY_POINT, payload, writer.size);
}

static size_t put_query_reply(uint8_t *out, size_t series, int64_t timestamp)
{
    struct tau_query_point_response response = {.has_value = true,
                                                .value = point_value(series, timestamp)};
    uint8_t payload[9];
    struct tau_writer writer = {.data = payload, .capacity = sizeof payload};
    if (!tau_query_point_response_encode(&response, &writer))
        die("encode");
    return put_frame(out, TAU_OPCODE_OK, payload, writer.size);
}

static size_t put_request(struct load *load, struct connection *c, uint8_t *request, uint8_t *reply,
                          size_t *reply_size)
{
    size_t series = c->first_series + next_random(&c->random) % c->series_count;
    switch (load->options.operation) {
    case OPERATION_PING:
        *reply_size = put_frame(reply, TAU_OPCODE_PONG, NULL, 0);
        return put_frame(request, TAU_OPCODE_PING, NULL, 0);
    case OPERATION_QUERY: {
        int64_t t = (int64_t)(next_random(&c->random) % (uint64_t)load->options.points_before);
        *reply_size = put_query_reply(reply, series, t);
        return put_query(request, series, t);
    }
    case OPERATION_APPEND:
    case OPERATION_FILL:
        break;
    }
    *reply_size = put_frame(reply, TAU_OPCODE_OK, NULL, 0);
    return put_append(request, series, load->next_timestamp[series]++);
}

static void build_requests(struct load *load, struct connection *c)
{
    size_t count = c->round_count * load->options.depth, request_end = 0, reply_end = 0;
    c->requests = allocate(count, MAX_FRAME);
    c->expected = allocate(count, MAX_REPLY);
    c->replies = allocate(load->options.depth, MAX_REPLY);
    for (size_t i = 0; i < count; i++) {
        size_t reply_size;
        request_end += put_request(load, c, c->requests + request_end, c->expected + reply_end,
                                   &reply_size);
        reply_end += reply_size;
    }
    c->request_size = request_end / c->round_count;
    c->reply_size = reply_end / c->round_count;
}

static void send_all(int fd, const uint8_t *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0)
            die("send");
        sent += (size_t)n;
    }
}

static void receive_all(int fd, uint8_t *data, size_t size)
{
    for (size_t received = 0; received < size;) {
        ssize_t n = recv(fd, data + received, size - received, 0);
        if (n <= 0)
            die(n ? "recv" : "the server closed");
        received += (size_t)n;
    }
}

static int open_connection(const struct options *options)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    if (fd < 0 || inet_pton(AF_INET, options->host, &address.sin_addr) != 1)
        die("address");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address))
        die("connect");
    uint8_t frame[MAX_FRAME], reply[TAU_HEADER_SIZE];
    send_all(fd, frame, put_frame(frame, TAU_OPCODE_CONNECT, options->certificate.bytes, 32));
    receive_all(fd, reply, sizeof reply);
    if (reply[4] != TAU_OPCODE_OK) {
        errno = EACCES;
        die("CONNECT was refused");
    }
    return fd;
}

// Creates the series, outside the measured time.
static void prepare_series(const struct load *load, int fd)
{
    size_t count = load->options.series_count, size = 0;
    uint8_t *frames = allocate(count, MAX_FRAME), reply[TAU_HEADER_SIZE + 1];
    for (size_t s = 0; s < count; s++) {
        struct tau_label label = series_label(s);
        size += put_frame(frames + size, TAU_OPCODE_CREATE_SERIES, label.bytes, 32);
    }
    send_all(fd, frames, size);
    for (size_t s = 0; s < count; s++) {
        receive_all(fd, reply, TAU_HEADER_SIZE);
        if (reply[4] == TAU_OPCODE_ERR)
            receive_all(fd, reply + TAU_HEADER_SIZE, 1); // it exists: an earlier run made it
    }
    free(frames);
}

static void start_round(struct connection *c)
{
    c->sent = c->received = 0;
    c->round_started_ns = now_ns();
}

// Sends what is left of the round; true when all of it is out.
static bool push(struct connection *c)
{
    const uint8_t *requests = c->requests + c->round * c->request_size;
    while (c->sent < c->request_size) {
        ssize_t n = send(c->fd, requests + c->sent, c->request_size - c->sent, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN)
                return false;
            die("send");
        }
        c->sent += (size_t)n;
    }
    return true;
}

static void pull(struct connection *c)
{
    while (c->received < c->reply_size) {
        ssize_t n = recv(c->fd, c->replies + c->received, c->reply_size - c->received, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            die(n ? "recv" : "the server closed");
        c->received += (size_t)n;
    }
}

static void finish_round(struct load *load, struct connection *c)
{
    if (memcmp(c->replies, c->expected + c->round * c->reply_size, c->reply_size) != 0) {
        errno = EBADMSG;
        die("a reply is not the one that is right");
    }
    load->latencies_us10[load->rounds_done++] = (uint32_t)((now_ns() - c->round_started_ns) / 100);
    c->round++;
}

static void step(struct load *load, struct connection *c, int epoll_fd)
{
    bool all_sent = push(c);
    pull(c);
    while (all_sent && c->received == c->reply_size) {
        finish_round(load, c);
        if (c->round == c->round_count) {
            epoll_ctl(epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
            return;
        }
        start_round(c);
        all_sent = push(c);
        pull(c);
    }
    uint32_t events = all_sent ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (events != c->events) {
        struct epoll_event want = {.events = events, .data.ptr = c};
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &want);
        c->events = events;
    }
}

static double run(struct load *load)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("epoll_create1");
    uint64_t started_ns = now_ns();
    for (size_t i = 0; i < load->options.connection_count; i++) {
        struct connection *c = &load->connections[i];
        struct epoll_event want = {.events = EPOLLIN, .data.ptr = c};
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &want);
        c->events = EPOLLIN;
        start_round(c);
        step(load, c, epoll_fd);
    }
    while (load->rounds_done < load->round_count) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll_fd, events, 64, 20000);
        if (n == 0) {
            errno = ETIMEDOUT;
            die("no reply for 20 s");
        }
        for (int i = 0; i < n; i++)
            step(load, events[i].data.ptr, epoll_fd);
    }
    close(epoll_fd);
    return (double)(now_ns() - started_ns) / 1e9;
}

// A column of a series that begins at `first`; how many bytes it takes.
static size_t put_column(uint8_t *out, size_t series, int64_t first, size_t count)
{
    static int64_t timestamps[FILL_POINTS];
    static double values[FILL_POINTS];
    for (size_t i = 0; i < count; i++) {
        timestamps[i] = first + (int64_t)i;
        values[i] = point_value(series, timestamps[i]);
    }
    struct tau_batch_append_request request = {
        .label = series_label(series),
        .count = (uint32_t)count,
        .timestamps = {.data = timestamps, .count = count},
        .values = {.data = values, .count = count},
    };
    struct tau_header header = {.opcode = TAU_OPCODE_BATCH_APPEND};
    struct tau_writer writer = {.data = out + TAU_HEADER_SIZE,
                                .capacity = FILL_FRAME - TAU_HEADER_SIZE};
    if (!tau_batch_append_request_encode(&request, &writer))
        die("encode");
    header.payload_length = (uint32_t)writer.size;
    tau_header_store(out, &header);
    return TAU_HEADER_SIZE + writer.size;
}

// Waits for the answer to a column of so many points.
static void await_column(int fd, size_t count)
{
    uint8_t reply[FILL_REPLY];
    receive_all(fd, reply, TAU_HEADER_SIZE);
    if (reply[4] != TAU_OPCODE_OK) {
        errno = EBADMSG;
        die("a column was refused");
    }
    receive_all(fd, reply + TAU_HEADER_SIZE, sizeof reply - TAU_HEADER_SIZE);
    if (tau_load_u32(reply + TAU_HEADER_SIZE) != count) {
        errno = EBADMSG;
        die("points of a column were refused");
    }
}

// Stores the points that are there before the clock starts. Columns of one length are a series', so
// that no answer's length has to be remembered.
static void fill_points(struct load *load)
{
    int fd = load->connections[0].fd;
    uint8_t *frame = allocate(1, FILL_FRAME);
    size_t before = (size_t)load->options.points_before;
    for (size_t s = 0; s < load->options.series_count; s++) {
        size_t sent = 0, answered = 0;
        while (answered < before) {
            size_t left = before - sent, count = left < FILL_POINTS ? left : FILL_POINTS;
            if (count > 0 && sent - answered < (size_t)FILL_FRAMES * FILL_POINTS) {
                send_all(fd, frame, put_column(frame, s, (int64_t)sent, count));
                sent += count;
                continue;
            }
            left = before - answered;
            await_column(fd, left < FILL_POINTS ? left : FILL_POINTS);
            answered += left < FILL_POINTS ? left : FILL_POINTS;
        }
    }
    free(frame);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct load *load, double seconds)
{
    size_t n = load->round_count;
    uint32_t *l = load->latencies_us10;
    qsort(l, n, sizeof *l, compare_u32);
    printf(
        "{\"operation\":\"%s\",\"connections\":%zu,\"depth\":%zu,\"requests\":%zu,\"seconds\":%.6f,"
        "\"rate\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f}\n",
        load->options.operation_name, load->options.connection_count, load->options.depth,
        n * load->options.depth, seconds, (double)(n * load->options.depth) / seconds,
        l[n / 2] / 10.0, l[n * 99 / 100] / 10.0, l[n * 999 / 1000] / 10.0);
}

static void report_fill(const struct options *o, double seconds)
{
    printf("{\"operation\":\"%s\",\"points\":%zu,\"seconds\":%.6f}\n", o->operation_name,
           o->series_count * (size_t)o->points_before, seconds);
}

static bool parse_certificate(const char *hex, struct tau_certificate *ret)
{
    if (!hex || strlen(hex) != 64)
        return false;
    for (size_t i = 0; i < 32; i++)
        if (sscanf(hex + 2 * i, "%2hhx", &ret->bytes[i]) != 1)
            return false;
    return true;
}

static void parse_options(int argc, char **argv, struct options *o)
{
    *o = (struct options){.host = "127.0.0.1", .port = 7701, .operation_name = "append",
                          .operation = OPERATION_APPEND, .connection_count = 4, .depth = 1000,
                          .request_count = 1000000, .series_count = 1000};
    for (int c; (c = getopt(argc, argv, "h:p:o:c:d:n:s:b:k")) != -1;) {
        switch (c) {
        case 'h': o->host = optarg; break;
        case 'p': o->port = (uint16_t)atoi(optarg); break;
        case 'o': o->operation_name = optarg; break;
        case 'c': o->connection_count = strtoul(optarg, NULL, 10); break;
        case 'd': o->depth = strtoul(optarg, NULL, 10); break;
        case 'n': o->request_count = strtoul(optarg, NULL, 10); break;
        case 's': o->series_count = strtoul(optarg, NULL, 10); break;
        case 'b': o->points_before = strtol(optarg, NULL, 10); break;
        case 'k': o->filled = true; break;
        default:
            fprintf(stderr, "usage: load [-h HOST] [-p PORT] [-o ping|append|query|fill]\n"
                            "            [-c CONNECTIONS] [-d DEPTH] [-n REQUESTS] [-s SERIES]\n"
                            "            [-b POINTS_BEFORE] [-k]\n");
            exit(2);
        }
    }
    o->operation = !strcmp(o->operation_name, "ping")     ? OPERATION_PING
                   : !strcmp(o->operation_name, "query") ? OPERATION_QUERY
                   : !strcmp(o->operation_name, "fill")  ? OPERATION_FILL
                                                         : OPERATION_APPEND;
    if (!parse_certificate(getenv("TAU_CERTIFICATE"), &o->certificate)) {
        fprintf(stderr, "load: TAU_CERTIFICATE must hold 64 hexadecimal characters\n");
        exit(2);
    }
    if (!o->connection_count || !o->depth || o->series_count < o->connection_count ||
        (o->operation >= OPERATION_QUERY && o->points_before < 1)) {
        fprintf(stderr,
                "load: needs a connection, a depth, a series a connection, and -b for query "
                "and fill\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct load load = {0};
    parse_options(argc, argv, &load.options);
    const struct options *o = &load.options;
    load.connections = allocate(o->connection_count, sizeof *load.connections);
    load.next_timestamp = allocate(o->series_count, sizeof *load.next_timestamp);
    size_t rounds_each = o->request_count / o->depth / o->connection_count;
    if (rounds_each == 0)
        rounds_each = 1;
    load.round_count = rounds_each * o->connection_count;
    load.latencies_us10 = allocate(load.round_count, sizeof *load.latencies_us10);
    for (size_t s = 0; s < o->series_count; s++)
        load.next_timestamp[s] = o->points_before;
    size_t share = o->series_count / o->connection_count;
    for (size_t i = 0; i < o->connection_count; i++)
        load.connections[i] = (struct connection){
            .fd = open_connection(o),
            .round_count = rounds_each,
            .first_series = i * share,
            .series_count = share,
            .random = 88172645463325252u + i,
        };
    if (!o->filled)
        prepare_series(&load, load.connections[0].fd);
    uint64_t started_ns = now_ns();
    if (o->operation >= OPERATION_QUERY && !o->filled)
        fill_points(&load);
    if (o->operation == OPERATION_FILL) {
        report_fill(o, (double)(now_ns() - started_ns) / 1e9);
    } else {
        for (size_t i = 0; i < o->connection_count; i++)
            build_requests(&load, &load.connections[i]);
        report(&load, run(&load));
    }
    for (size_t i = 0; i < o->connection_count; i++) {
        close(load.connections[i].fd);
        free(load.connections[i].requests);
        free(load.connections[i].expected);
        free(load.connections[i].replies);
    }
    free(load.connections);
    free(load.next_timestamp);
    free(load.latencies_us10);
    return 0;
}
