// SPDX-License-Identifier: MIT
// Records what taud and tau-cli say, from outside: preloaded, it stands before the C library's
// calls on sockets and appends what they moved to a file of the process below $TAU_TRAFFIC_DIR. It
// knows nothing of the protocol; traffic.py reads the files. Nothing that a test sees depends on
// it: it changes no result and no errno, and in any other program it does nothing.
//
// A file is a sequence of records: time in ns (u64), connection (u32), size (u32), kind (u8), seven
// bytes of nothing, then `size` bytes; numbers as the machine has them.
#undef _FORTIFY_SOURCE // its inline functions have the names of those that are replaced here
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    FILES = 65536,                           // descriptors that are followed
    CONNECTION_BYTES_MAX = 24 * 1024 * 1024, // beyond it a connection is recorded no further
    SERVER_BYTES_MAX = 192 * 1024 * 1024,    // nor one of a process that had so much
    CLIENT_BYTES_MAX = 2 * 1024 * 1024,
};

enum kind {
    KIND_ACCEPTED = 'A',
    KIND_CONNECTING = 'K',
    KIND_RECEIVED = 'I',
    KIND_SENT = 'O',
    KIND_END = 'E',       // the peer sends no more
    KIND_FAILED = 'F',    // a call failed: the connection is lost
    KIND_SHUT_DOWN = 'S', // this side sends no more
    KIND_CLOSED = 'C',
    KIND_CUT = 'T', // what follows is not recorded
};

struct record {
    uint64_t time_ns;
    uint32_t connection;
    uint32_t size;
    uint8_t kind;
    uint8_t nothing[7];
};
_Static_assert(sizeof(struct record) == 24, "traffic.py reads 24 bytes");

// A connection is used by one thread at a time, so what is kept of it needs no lock.
static struct {
    _Atomic uint32_t number; // 0: not followed
    size_t bytes;
    bool cut;
} followed[FILES];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t connection_count;
static size_t process_bytes;
static size_t process_bytes_max;
static int output = -1;
static bool tried;

// The C library's own function of this name.
static void *original(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

// With the mutex.
static bool open_output(void)
{
    const char *directory = getenv("TAU_TRAFFIC_DIR");
    const char *program = program_invocation_short_name;
    if (tried)
        return output >= 0;
    tried = true;
    bool server = strcmp(program, "taud") == 0;
    if (directory == NULL || (!server && strcmp(program, "tau-cli") != 0))
        return false;
    process_bytes_max = server ? SERVER_BYTES_MAX : CLIENT_BYTES_MAX;
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/%s-%ld-%llu.traffic", directory, program,
                        (long)getpid(), (unsigned long long)now_ns());
    if (size > 0 && (size_t)size < sizeof path)
        output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    return output >= 0;
}

// With the mutex. A disk that takes no more ends the recording of the process.
static void put(int file, enum kind kind, const struct iovec *parts, size_t count, size_t size)
{
    struct record record = {.time_ns = now_ns(),
                            .connection = followed[file].number,
                            .size = (uint32_t)size,
                            .kind = (uint8_t)kind};
    struct iovec vectors[65] = {{.iov_base = &record, .iov_len = sizeof record}};
    int used = 1;
    for (size_t part = 0; part < count && size > 0 && used < 65; part++) {
        vectors[used] = parts[part];
        if (vectors[used].iov_len > size)
            vectors[used].iov_len = size;
        size -= vectors[used++].iov_len;
    }
    ssize_t written = size == 0 ? writev(output, vectors, used) : -1;
    if (written != (ssize_t)(sizeof record + record.size)) {
        close(output);
        output = -1;
    }
}

static void note(int file, enum kind kind, const struct iovec *parts, size_t count, size_t size)
{
    if (file < 0 || file >= FILES || followed[file].number == 0)
        return;
    int error = errno;
    pthread_mutex_lock(&mutex);
    if (output >= 0 && size > 0) {
        followed[file].bytes += size;
        process_bytes += size;
        if (!followed[file].cut &&
            (followed[file].bytes > CONNECTION_BYTES_MAX || process_bytes > process_bytes_max)) {
            followed[file].cut = true;
            put(file, KIND_CUT, NULL, 0, 0);
        }
    }
    if (output >= 0 && (size == 0 || !followed[file].cut))
        put(file, kind, parts, count, size);
    pthread_mutex_unlock(&mutex);
    errno = error;
}

static void follow(int file, enum kind kind)
{
    if (file < 0 || file >= FILES)
        return;
    int error = errno;
    pthread_mutex_lock(&mutex);
    if (open_output()) {
        followed[file].number = ++connection_count;
        followed[file].bytes = 0;
        followed[file].cut = false;
        put(file, kind, NULL, 0, 0);
    }
    pthread_mutex_unlock(&mutex);
    errno = error;
}

static bool lost(void)
{
    return errno != EAGAIN && errno != EINTR;
}

static void note_received(int file, const struct iovec *parts, size_t count, ssize_t size)
{
    if (size > 0)
        note(file, KIND_RECEIVED, parts, count, (size_t)size);
    else if (size == 0)
        note(file, KIND_END, NULL, 0, 0);
    else if (lost())
        note(file, KIND_FAILED, NULL, 0, 0);
}

// --- the calls of taud and libtauclient on sockets ---------------------------------------------

#define REPLACES __attribute__((visibility("default")))

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's begin with __

REPLACES int accept4(int file, __SOCKADDR_ARG address, socklen_t *restrict size, int flags)
{
    static int (*call)(int, __SOCKADDR_ARG, socklen_t *, int);
    if (call == NULL)
        *(void **)&call = original("accept4");
    int accepted = call(file, address, size, flags);
    follow(accepted, KIND_ACCEPTED);
    return accepted;
}

REPLACES int connect(int file, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    static int (*call)(int, __CONST_SOCKADDR_ARG, socklen_t);
    if (call == NULL)
        *(void **)&call = original("connect");
    int result = call(file, address, size);
    if (result == 0 || errno == EINPROGRESS)
        follow(file, KIND_CONNECTING);
    return result;
}

REPLACES ssize_t recv(int file, void *data, size_t capacity, int flags)
{
    static ssize_t (*call)(int, void *, size_t, int);
    if (call == NULL)
        *(void **)&call = original("recv");
    ssize_t size = call(file, data, capacity, flags);
    struct iovec part = {.iov_base = data, .iov_len = capacity};
    if ((flags & MSG_PEEK) == 0)
        note_received(file, &part, 1, size);
    return size;
}

REPLACES ssize_t readv(int file, const struct iovec *parts, int count)
{
    static ssize_t (*call)(int, const struct iovec *, int);
    if (call == NULL)
        *(void **)&call = original("readv");
    ssize_t size = call(file, parts, count);
    note_received(file, parts, (size_t)count, size);
    return size;
}

REPLACES ssize_t sendmsg(int file, const struct msghdr *message, int flags)
{
    static ssize_t (*call)(int, const struct msghdr *, int);
    if (call == NULL)
        *(void **)&call = original("sendmsg");
    ssize_t size = call(file, message, flags);
    if (size > 0)
        note(file, KIND_SENT, message->msg_iov, message->msg_iovlen, (size_t)size);
    else if (size < 0 && lost())
        note(file, KIND_FAILED, NULL, 0, 0);
    return size;
}

REPLACES int shutdown(int file, int how)
{
    static int (*call)(int, int);
    if (call == NULL)
        *(void **)&call = original("shutdown");
    note(file, KIND_SHUT_DOWN, NULL, 0, 0);
    return call(file, how);
}

REPLACES int close(int file)
{
    static int (*call)(int);
    if (call == NULL)
        *(void **)&call = original("close");
    note(file, KIND_CLOSED, NULL, 0, 0);
    if (file >= 0 && file < FILES)
        followed[file].number = 0;
    return call(file);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
