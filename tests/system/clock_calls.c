// SPDX-License-Identifier: MIT
// What tests preload into taud to move its clock while it runs. It must not know who asks. The file
// that CLOCK_CALLS_FILE names holds one number of 64 bits as the machine has them: the nanoseconds
// that the time of day is ahead, or, below 0, behind. CLOCK_CALLS_ALL=1 moves every clock, which no
// system does: a planted fault.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SECOND_NS = 1000000000 };

static struct {
    _Atomic int64_t *ahead_ns;
    bool all;
    int (*clock_gettime)(clockid_t, struct timespec *);
} real;

__attribute__((constructor)) static void prepare(void)
{
    void *found = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("CLOCK_CALLS_FILE");
    if (!found || !path)
        abort();
    memcpy(&real.clock_gettime, &found, sizeof found);
    real.all = getenv("CLOCK_CALLS_ALL") != NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *mapped = mmap(NULL, sizeof *real.ahead_ns, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        abort();
    close(file);
    real.ahead_ns = mapped;
}

#pragma GCC visibility push(default)

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = real.clock_gettime(clock, now);
    bool moved = real.all || clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (result != 0 || !moved)
        return result;
    int64_t ahead = atomic_load(real.ahead_ns);
    int64_t ns = now->tv_nsec + ahead % SECOND_NS;
    now->tv_sec += ahead / SECOND_NS + (ns >= SECOND_NS) - (ns < 0);
    now->tv_nsec = (ns + SECOND_NS) % SECOND_NS;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    *now = (struct timeval){.tv_sec = precise.tv_sec, .tv_usec = precise.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret_now)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_now)
        *ret_now = now.tv_sec;
    return now.tv_sec;
}

#pragma GCC visibility pop
