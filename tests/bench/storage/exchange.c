// SPDX-License-Identifier: MIT
//
// The client of every server that is measured: sends the exchanges of a file (generate.c says how
// it looks), each as soon as the one before it on its connection is answered, and prints how long
// that took. The file is in memory before the clock starts, which stops with the last reply.
//
//     bench_exchange http|tau|exact HOST PORT FILE [--connections N] [--hello FILE]
//         [--answers FILE] [--repeat 0|1] [--lead N]
//
// --lead holds a connection back that is more than N exchanges ahead of another. --hello is sent
// first on each connection. --answers keeps replies: for each its number, whether it is good and
// its status (32 bits each, the status 0 but for HTTP), its latency in ns and its size (64 bits
// each), in the machine's order, then its bytes. With --repeat it prints `ready` once it is
// connected and sends the file over and over until SIGTERM; after SIGUSR1 it counts anew.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "reply.h"

enum { CONNECTIONS_MAX = 64, RECEIVE_SIZE = 1 << 20, REPLY_MAX = 1 << 30, LATENCIES_MAX = 1 << 22 };
enum { SILENCE_MS = 300000, EXCERPT = 400 };

static const char usage[] =
    "usage: bench_exchange http|tau|exact HOST PORT FILE [--connections N] [--hello FILE]\n"
    "           [--answers FILE] [--repeat 0|1] [--lead N]\n"
    "Sends the exchanges of FILE and prints how long that took, as JSON.\n";

struct exchange {
    struct bench_expectation bytes;
    uint32_t points, lane;
};

struct connection {
    int fd;
    uint32_t *queue; // the numbers of its exchanges
    size_t queue_size, next;
    size_t sent; // bytes of this request
    struct bench_reply reply;
    uint64_t started_ns;
    uint32_t events; // what epoll watches for
    bool held;       // it is ahead of another, and nothing is underway
};

struct run {
    enum bench_framing framing;
    const char *host, *file, *hello, *answers;
    uint16_t port;
    size_t connection_count;
    bool repeat;
    size_t lead; // SIZE_MAX: no bound
    uint8_t *data;
    struct exchange *exchanges;
    size_t exchange_count;
    struct connection connections[CONNECTIONS_MAX];
    size_t busy; // connections that have something underway
    size_t done_count, failed_count;
    uint64_t points;
    uint32_t latencies_us10[LATENCIES_MAX]; // in tenths of a microsecond
    FILE *answers_file;
    int epoll_fd;
};

static volatile sig_atomic_t stopped, anew;

static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}

static void on_anew(int number)
{
    (void)number;
    anew = 1;
}

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "bench_exchange: %s: %s\n", what, strerror(errno));
    exit(1);
}

_Noreturn static void refuse(const char *what)
{
    bench_fail("bench_exchange", what);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint8_t *load_file(const char *name, size_t *ret_size)
{
    FILE *file = fopen(name, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        die(name);
    long size = ftell(file);
    uint8_t *data = bench_allocate((size_t)size, 1);
    if (size < 0 || fseek(file, 0, SEEK_SET) || fread(data, 1, (size_t)size, file) != (size_t)size)
        die(name);
    fclose(file);
    *ret_size = (size_t)size;
    return data;
}

static uint32_t load_little(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
}

// Takes the exchange at `data`, if `ret` is not NULL; the bytes that it has, 0 where it is cut off.
static size_t take_exchange(uint8_t *data, size_t size, struct exchange *ret)
{
    if (size < 16)
        return 0;
    size_t request = load_little(data), reply = load_little(data + 4);
    if (request == 0 || size - 16 < request || size - 16 - request < reply)
        return 0;
    if (ret)
        *ret = (struct exchange){{data + 16, request, data + 16 + request, reply},
                                 load_little(data + 8),
                                 load_little(data + 12)};
    return 16 + request + reply;
}

static void load_exchanges(struct run *run)
{
    size_t size;
    run->data = load_file(run->file, &size);
    for (int pass = 0; pass < 2; pass++) {
        size_t count = 0, taken;
        for (size_t at = 0; at < size; at += taken, count++) {
            taken = take_exchange(run->data + at, size - at, pass ? &run->exchanges[count] : NULL);
            if (!taken)
                refuse("the file is no file of exchanges");
        }
        if (pass == 0)
            run->exchanges = bench_allocate(count, sizeof *run->exchanges);
        run->exchange_count = count;
    }
}

static void fill_queues(struct run *run)
{
    for (size_t i = 0; i < run->connection_count; i++)
        run->connections[i].queue = bench_allocate(run->exchange_count, sizeof(uint32_t));
    for (size_t i = 0; i < run->exchange_count; i++) {
        struct connection *c = &run->connections[run->exchanges[i].lane % run->connection_count];
        c->queue[c->queue_size++] = (uint32_t)i;
    }
}

static void say_hello(const struct run *run, struct connection *c, uint8_t *hello, size_t size)
{
    struct bench_expectation bytes = {hello, size, NULL, 0};
    enum bench_progress progress = BENCH_MORE;
    if (send(c->fd, hello, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("hello");
    bench_reply_begin(&c->reply, run->framing, &bytes);
    while (progress == BENCH_MORE) {
        uint8_t in[4096];
        ssize_t n = recv(c->fd, in, sizeof in, 0);
        if (n <= 0)
            die("hello");
        bench_put(&c->reply.raw, in, (size_t)n);
        progress = bench_reply_read(&c->reply, run->framing, &bytes);
    }
    if (progress == BENCH_BROKEN || !c->reply.good)
        refuse("the server refuses the hello");
}

// As Tau's own client does on one machine, so that no server is fed more slowly than another.
static void send_without_pacing(int fd)
{
    static const char name[] = "reno";
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, sizeof name - 1);
}

static void connect_all(struct run *run)
{
    size_t hello_size = 0;
    uint8_t *hello = run->hello ? load_file(run->hello, &hello_size) : NULL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(run->port)};
    if (inet_pton(AF_INET, run->host, &address.sin_addr) != 1)
        refuse("HOST is an address of IPv4");
    for (size_t i = 0; i < run->connection_count; i++) {
        struct connection *c = &run->connections[i];
        int on = 1;
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        send_without_pacing(c->fd);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address))
            die("connect");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (hello)
            say_hello(run, c, hello, hello_size);
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
    }
    free(hello);
}

static const struct exchange *current(const struct run *run, const struct connection *c)
{
    return &run->exchanges[c->queue[c->next]];
}

static void start_exchange(const struct run *run, struct connection *c)
{
    c->sent = 0;
    bench_reply_begin(&c->reply, run->framing, &current(run, c)->bytes);
    c->started_ns = now_ns();
}

static void keep_answer(struct run *run, const struct connection *c, uint64_t latency_ns)
{
    uint32_t head[3] = {c->queue[c->next], c->reply.good, c->reply.status};
    uint64_t numbers[2] = {latency_ns, c->reply.body.size};
    fwrite(head, sizeof *head, 3, run->answers_file);
    fwrite(numbers, sizeof *numbers, 2, run->answers_file);
    if (c->reply.body.size)
        fwrite(c->reply.body.data, 1, c->reply.body.size, run->answers_file);
}

static void finish_exchange(struct run *run, struct connection *c)
{
    uint64_t latency_ns = now_ns() - c->started_ns;
    if (anew) {
        anew = 0;
        run->done_count = run->failed_count = 0;
    }
    run->latencies_us10[run->done_count++ % LATENCIES_MAX] = (uint32_t)(latency_ns / 100);
    if (c->reply.good)
        run->points += current(run, c)->points;
    else if (run->failed_count++ == 0)
        fprintf(stderr, "bench_exchange: the server refuses (status %u): %.*s\n", c->reply.status,
                (int)(c->reply.body.size < EXCERPT ? c->reply.body.size : EXCERPT),
                c->reply.body.data ? (const char *)c->reply.body.data : "");
    if (run->answers_file)
        keep_answer(run, c, latency_ns);
    c->next++;
    if (run->repeat && !stopped)
        c->next %= c->queue_size;
    else if (stopped)
        c->next = c->queue_size;
}

// Sends what is left of the request; true when all of it is out.
static bool push(const struct run *run, struct connection *c)
{
    const struct bench_expectation *bytes = &current(run, c)->bytes;
    while (c->sent < bytes->request_size) {
        ssize_t n =
            send(c->fd, bytes->request + c->sent, bytes->request_size - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0)
            die("send");
        c->sent += (size_t)n;
    }
    return true;
}

// Reads what is there; true when the reply is complete.
static bool pull(const struct run *run, struct connection *c)
{
    static uint8_t in[RECEIVE_SIZE];
    for (;;) {
        ssize_t n = recv(c->fd, in, sizeof in, 0);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0)
            die(n ? "recv" : "the server closed the connection");
        bench_put(&c->reply.raw, in, (size_t)n);
        enum bench_progress progress =
            bench_reply_read(&c->reply, run->framing, &current(run, c)->bytes);
        if (progress == BENCH_BROKEN || c->reply.raw.size > REPLY_MAX)
            refuse("a reply is not of the form that was expected");
        if (progress == BENCH_DONE)
            return true;
    }
}

static void watch(const struct run *run, struct connection *c, uint32_t events, int how)
{
    struct epoll_event want = {.events = events, .data.ptr = c};
    if (epoll_ctl(run->epoll_fd, how, c->fd, &want))
        die("epoll_ctl");
    c->events = events;
}

static bool is_ahead(const struct run *run, const struct connection *c)
{
    for (size_t i = 0; i < run->connection_count; i++) {
        const struct connection *other = &run->connections[i];
        if (other->next < other->queue_size && c->next > other->next &&
            c->next - other->next > run->lead)
            return true;
    }
    return false;
}

static void step(struct run *run, struct connection *c)
{
    c->held = false;
    bool all_sent = push(run, c);
    while (pull(run, c)) {
        finish_exchange(run, c);
        if (c->next == c->queue_size) {
            run->busy--;
            watch(run, c, 0, EPOLL_CTL_DEL);
            return;
        }
        start_exchange(run, c);
        if ((c->held = is_ahead(run, c)))
            return;
        all_sent = push(run, c);
    }
    uint32_t events = all_sent ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (events != c->events)
        watch(run, c, events, EPOLL_CTL_MOD);
}

static double run_all(struct run *run)
{
    uint64_t started_ns = now_ns();
    run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (run->epoll_fd < 0)
        die("epoll_create1");
    for (size_t i = 0; i < run->connection_count; i++) {
        struct connection *c = &run->connections[i];
        if (c->queue_size == 0)
            continue;
        run->busy++;
        watch(run, c, EPOLLIN, EPOLL_CTL_ADD);
        start_exchange(run, c);
        step(run, c);
    }
    while (run->busy) {
        struct epoll_event events[CONNECTIONS_MAX];
        int n = epoll_wait(run->epoll_fd, events, CONNECTIONS_MAX, SILENCE_MS);
        if (n == 0)
            refuse("the server was silent for 300 s");
        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++)
            step(run, events[i].data.ptr);
        for (size_t i = 0; i < run->connection_count; i++) {
            struct connection *c = &run->connections[i];
            if (c->held && !is_ahead(run, c)) {
                start_exchange(run, c);
                step(run, c);
            }
        }
    }
    return (double)(now_ns() - started_ns) / 1e9;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct run *run, double seconds)
{
    size_t n = run->done_count < LATENCIES_MAX ? run->done_count : LATENCIES_MAX;
    uint32_t *l = run->latencies_us10;
    qsort(l, n, sizeof *l, compare_u32);
    printf("{\"exchanges\":%zu,\"failed\":%zu,\"points\":%llu,\"seconds\":%.6f,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"p999_us\":%.1f}\n",
           run->done_count, run->failed_count, (unsigned long long)run->points, seconds,
           n ? l[n / 2] / 10.0 : 0, n ? l[n * 99 / 100] / 10.0 : 0,
           n ? l[n * 999 / 1000] / 10.0 : 0);
}

static bool take_framing(struct run *run, const char *name)
{
    static const char *const names[] = {"http", "tau", "exact"};
    for (int i = 0; i < 3; i++) {
        if (!strcmp(name, names[i])) {
            run->framing = (enum bench_framing)i;
            return true;
        }
    }
    return false;
}

static bool take_arguments(struct run *run, int argc, char **argv)
{
    if (argc < 5 || argc % 2 == 0 || !take_framing(run, argv[1]))
        return false;
    run->host = argv[2];
    run->port = (uint16_t)strtoul(argv[3], NULL, 10);
    run->file = argv[4];
    for (int i = 5; i < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--connections"))
            run->connection_count = strtoul(value, NULL, 10);
        else if (!strcmp(argv[i], "--hello"))
            run->hello = value;
        else if (!strcmp(argv[i], "--answers"))
            run->answers = value;
        else if (!strcmp(argv[i], "--repeat"))
            run->repeat = !strcmp(value, "1");
        else if (!strcmp(argv[i], "--lead"))
            run->lead = strtoul(value, NULL, 10);
        else
            return false;
    }
    return run->connection_count >= 1 && run->connection_count <= CONNECTIONS_MAX;
}

static void free_run(struct run *run)
{
    for (size_t i = 0; i < run->connection_count; i++) {
        close(run->connections[i].fd);
        free(run->connections[i].queue);
        bench_reply_done(&run->connections[i].reply);
    }
    close(run->epoll_fd);
    free(run->exchanges);
    free(run->data);
}

int main(int argc, char **argv)
{
    static struct run run = {.connection_count = 1, .lead = SIZE_MAX};
    if (!take_arguments(&run, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    signal(SIGTERM, on_stop);
    signal(SIGUSR1, on_anew);
    load_exchanges(&run);
    fill_queues(&run);
    if (run.answers && !(run.answers_file = fopen(run.answers, "wb")))
        die(run.answers);
    connect_all(&run);
    if (run.repeat) {
        puts("ready");
        fflush(stdout);
    }
    double seconds = run_all(&run);
    if (run.answers_file && fclose(run.answers_file))
        die(run.answers);
    report(&run, seconds);
    free_run(&run);
    return 0;
}
