// SPDX-License-Identifier: MIT
// What tests preload into taud to stand between it and the system's files. It must not know what
// the files hold. Each setting is a variable of the environment:
//   FILE_CALLS_KILL=N      the process is killed at its Nth call that changes a file or a folder:
//                          before it, behind it, or, where it writes, when half of it is written
//   FILE_CALLS_CACHED=1    files cannot be opened for direct I/O, as on some file systems
//   FILE_CALLS_UNSYNCED=1  no sync is made, and every call says that it was: a planted fault
//   FILE_CALLS_VOLATILE=1  no write is durable when it returns, however its file was opened: one
//   FILE_CALLS_LATE=1      a write is made when eight more were asked for, or a read or a close:
//                          one
//   FILE_CALLS_KEEPING=1   no file is removed, and every call says that it was: one
#undef _FORTIFY_SOURCE // its inline functions have the names of those that are replaced here
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HELD_MAX = 8,
};

enum moment {
    BEFORE,
    AMID,
    BEHIND,
    MOMENTS,
};

static struct {
    long kill_at; // 0: never
    bool cached;
    bool unsynced;
    bool not_durable;
    bool late;
    bool keeping;
    int (*open)(const char *, int, ...);
    int (*close)(int);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    int (*fdatasync)(int);
    int (*fsync)(int);
    int (*ftruncate)(int, off_t);
    int (*posix_fallocate)(int, off_t, off_t);
    int (*rename)(const char *, const char *);
    int (*link)(const char *, const char *);
    int (*unlink)(const char *);
} real;

static atomic_long calls;

struct held_write {
    int file;
    off_t offset;
    size_t size;
    char *data;
};

static struct {
    pthread_mutex_t mutex;
    struct held_write writes[HELD_MAX];
    unsigned first;
    unsigned count;
} held = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    memcpy(function, &found, sizeof found);
}

static bool is_set(const char *name)
{
    return getenv(name) != NULL;
}

__attribute__((constructor)) static void prepare(void)
{
    find(&real.open, "open");
    find(&real.close, "close");
    find(&real.pread, "pread");
    find(&real.pwrite, "pwrite");
    find(&real.fdatasync, "fdatasync");
    find(&real.fsync, "fsync");
    find(&real.ftruncate, "ftruncate");
    find(&real.posix_fallocate, "posix_fallocate");
    find(&real.rename, "rename");
    find(&real.link, "link");
    find(&real.unlink, "unlink");
    const char *kill_at = getenv("FILE_CALLS_KILL");
    real.kill_at = kill_at ? strtol(kill_at, NULL, 10) : 0;
    real.cached = is_set("FILE_CALLS_CACHED");
    real.unsynced = is_set("FILE_CALLS_UNSYNCED");
    real.not_durable = is_set("FILE_CALLS_VOLATILE");
    real.late = is_set("FILE_CALLS_LATE");
    real.keeping = is_set("FILE_CALLS_KEEPING");
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

// Counts a call that is to be made. Returns whether it is the last one.
static bool begin(void)
{
    if (real.kill_at == 0 || atomic_fetch_add(&calls, 1) + 1 != real.kill_at)
        return false;
    if (real.kill_at % MOMENTS == BEFORE)
        die();
    return true;
}

static int end(bool last, int result)
{
    if (last)
        die();
    return result;
}

// --- writes that are held back ----------------------------------------------------------------

static void write_oldest(void)
{
    struct held_write *write = &held.writes[held.first];
    size_t done = 0;
    while (done < write->size) {
        ssize_t count = real.pwrite(write->file, write->data + done, write->size - done,
                                    write->offset + (off_t)done);
        if (count < 0 && errno != EINTR)
            abort();
        done += count < 0 ? 0 : (size_t)count;
    }
    free(write->data);
    held.first = (held.first + 1) % HELD_MAX;
    held.count--;
}

static ssize_t hold(int file, const void *data, size_t size, off_t offset)
{
    pthread_mutex_lock(&held.mutex);
    if (held.count == HELD_MAX)
        write_oldest();
    struct held_write *write = &held.writes[(held.first + held.count) % HELD_MAX];
    *write = (struct held_write){.file = file, .offset = offset, .size = size};
    if (posix_memalign((void **)&write->data, 4096, size) != 0)
        abort();
    memcpy(write->data, data, size);
    held.count++;
    pthread_mutex_unlock(&held.mutex);
    return (ssize_t)size;
}

static void let_go(void)
{
    pthread_mutex_lock(&held.mutex);
    while (held.count > 0)
        write_oldest();
    pthread_mutex_unlock(&held.mutex);
}

// --- the calls --------------------------------------------------------------------------------

#pragma GCC visibility push(default)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (real.cached && (flags & O_DIRECT)) {
        errno = EINVAL;
        return -1;
    }
    if (real.not_durable)
        flags &= ~(O_DSYNC | O_SYNC);
    if (!(flags & O_CREAT))
        return real.open(path, flags);
    bool last = begin();
    return end(last, real.open(path, flags, mode));
}

int close(int file)
{
    if (real.late)
        let_go();
    return real.close(file);
}

ssize_t pread(int file, void *data, size_t size, off_t offset)
{
    if (real.late)
        let_go();
    return real.pread(file, data, size, offset);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset)
{
    if (real.late)
        return hold(file, data, size, offset);
    bool last = begin();
    if (last && real.kill_at % MOMENTS == AMID)
        size = size / 2 / 512 * 512;
    ssize_t count = real.pwrite(file, data, size, offset);
    if (last)
        die();
    return count;
}

int fdatasync(int file)
{
    bool last = begin();
    return end(last, real.unsynced ? 0 : real.fdatasync(file));
}

int fsync(int file)
{
    bool last = begin();
    return end(last, real.unsynced ? 0 : real.fsync(file));
}

int ftruncate(int file, off_t size)
{
    bool last = begin();
    return end(last, real.ftruncate(file, size));
}

int posix_fallocate(int file, off_t offset, off_t size)
{
    bool last = begin();
    return end(last, real.posix_fallocate(file, offset, size));
}

int rename(const char *from, const char *to)
{
    bool last = begin();
    return end(last, real.rename(from, to));
}

int link(const char *from, const char *to)
{
    bool last = begin();
    return end(last, real.link(from, to));
}

int unlink(const char *path)
{
    bool last = begin();
    return end(last, real.keeping ? 0 : real.unlink(path));
}

#pragma GCC visibility pop
