// SPDX-License-Identifier: MIT
//
// What the machine itself can do, measured in the run whose figures are to be read against it:
// loopback TCP on one stream, reads of memory by one core, writes to the disk, and how long a write
// of 4 KiB takes to become durable.
//
//     bench_limits DIRECTORY [--scale FACTOR]

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, SYNC_BLOCK = 4096, SYNCS = 500, SYNCS_MIN = 20, SYNC_SPAN = 1000 };

static const uint64_t LOOPBACK_BYTES = UINT64_C(4) << 30, MEMORY_BYTES = UINT64_C(256) << 20,
                      DISK_BYTES = UINT64_C(1) << 30;
static const int MEMORY_ROUNDS = 16;

static void die(const char *what)
{
    fprintf(stderr, "bench_limits: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t scaled(uint64_t bytes, double scale)
{
    uint64_t blocks = (uint64_t)((double)bytes * scale) / BLOCK;
    return (blocks ? blocks : 1) * BLOCK;
}

static void *drain(void *user_data)
{
    int fd = *(int *)user_data;
    static char in[BLOCK];
    while (recv(fd, in, sizeof in, 0) > 0)
        ;
    return NULL;
}

// A stream from this thread to another; bytes a second.
static double measure_loopback(uint64_t bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || out < 0 || bind(listener, (struct sockaddr *)&address, size) ||
        listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &size) ||
        connect(out, (struct sockaddr *)&address, size))
        die("loopback");
    int in = accept(listener, NULL, NULL);
    pthread_t reader;
    if (in < 0 || pthread_create(&reader, NULL, drain, &in))
        die("loopback");
    static const char block[BLOCK];
    double started_s = now_s();
    for (uint64_t sent = 0; sent < bytes;) {
        ssize_t n = send(out, block, sizeof block, MSG_NOSIGNAL);
        if (n < 0)
            die("loopback");
        sent += (uint64_t)n;
    }
    shutdown(out, SHUT_WR);
    pthread_join(reader, NULL);
    double seconds = now_s() - started_s;
    close(in);
    close(out);
    close(listener);
    return (double)bytes / seconds;
}

// Sums memory that no cache holds; the best of the rounds, in bytes a second.
static double measure_memory(uint64_t bytes)
{
    typedef uint64_t vector __attribute__((vector_size(64)));
    size_t count = bytes / sizeof(vector);
    vector *vectors = aligned_alloc(sizeof(vector), bytes);
    double best_s = 0;
    if (!vectors)
        die("memory");
    memset(vectors, 1, bytes);
    for (int round = 0; round < MEMORY_ROUNDS; round++) {
        vector even = {0}, odd = {0};
        double started_s = now_s();
        for (size_t i = 0; i + 2 <= count; i += 2) {
            even += vectors[i];
            odd += vectors[i + 1];
        }
        double seconds = now_s() - started_s;
        vectors[0] = even + odd; // so that the sums are needed
        best_s = best_s == 0 || seconds < best_s ? seconds : best_s;
    }
    free(vectors);
    return (double)bytes / best_s;
}

static int open_scratch(const char *directory, char *path, size_t room)
{
    snprintf(path, room, "%s/limit", directory);
    int fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    return fd;
}

// A file written from its beginning to its end and synced; bytes a second. The bytes do not
// compress.
static double measure_disk(int fd, uint64_t bytes)
{
    static uint64_t block[BLOCK / sizeof(uint64_t)];
    uint64_t state = 1;
    for (size_t i = 0; i < BLOCK / sizeof *block; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block[i] = state;
    }
    double started_s = now_s();
    for (uint64_t written = 0; written < bytes; written += BLOCK)
        if (pwrite(fd, block, BLOCK, (off_t)written) != BLOCK)
            die("write");
    if (fdatasync(fd))
        die("fdatasync");
    return (double)bytes / (now_s() - started_s);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure_syncs(int fd, size_t count, double *ret_p50_s, double *ret_p99_s)
{
    static const char block[SYNC_BLOCK];
    double samples[SYNCS];
    for (int i = 0; i < SYNC_SPAN; i++)
        if (pwrite(fd, block, sizeof block, (off_t)i * SYNC_BLOCK) != SYNC_BLOCK)
            die("write");
    if (fsync(fd))
        die("fsync");
    for (size_t i = 0; i < count; i++) {
        double started_s = now_s();
        if (pwrite(fd, block, sizeof block, (off_t)i * SYNC_BLOCK) != SYNC_BLOCK || fdatasync(fd))
            die("fdatasync");
        samples[i] = now_s() - started_s;
    }
    qsort(samples, count, sizeof *samples, compare_doubles);
    *ret_p50_s = samples[count / 2];
    *ret_p99_s = samples[count * 99 / 100];
}

int main(int argc, char **argv)
{
    double scale = argc == 4 && !strcmp(argv[2], "--scale") ? strtod(argv[3], NULL) : 1.0;
    if ((argc != 2 && argc != 4) || argv[1][0] == '-' || !(scale > 0 && scale <= 1)) {
        fputs("usage: bench_limits DIRECTORY [--scale FACTOR]    with a factor of at most 1\n"
              "Measures the machine in DIRECTORY and prints its limits, as JSON.\n",
              stderr);
        return 2;
    }
    char path[4096];
    double p50_s, p99_s;
    int fd = open_scratch(argv[1], path, sizeof path);
    double disk = measure_disk(fd, scaled(DISK_BYTES, scale));
    size_t syncs = (size_t)(SYNCS * scale);
    measure_syncs(fd, syncs < SYNCS_MIN ? SYNCS_MIN : syncs, &p50_s, &p99_s);
    close(fd);
    unlink(path);
    double loopback = measure_loopback(scaled(LOOPBACK_BYTES, scale));
    double memory = measure_memory(MEMORY_BYTES);
    printf("{\"processors\":%ld,\"loopback_bytes_s\":%.0f,\"memory_bytes_s\":%.0f,"
           "\"disk_bytes_s\":%.0f,\"sync_p50_us\":%.1f,\"sync_p99_us\":%.1f}\n",
           sysconf(_SC_NPROCESSORS_ONLN), loopback, memory, disk, p50_s * 1e6, p99_s * 1e6);
    return 0;
}
