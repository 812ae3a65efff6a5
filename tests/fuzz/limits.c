// SPDX-License-Identifier: MIT
// Runs a target on an input within limits that are the same for all of them: no allocation of more
// than four times the input and what the target takes for the shortest one too (FUZZ_FIXED, bytes),
// and no more than a second of processor time, in which what else the machine does is not counted.
// Allocations are seen in builds with a sanitizer that tells of them.

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz.h"

enum {
    TIMES = 4,
    SECONDS = 1,
    BESIDE = 4 << 20, // more, in threads of the engine: what it puts aside on a disk in memory
};

static size_t allowed = SIZE_MAX; // bytes in one allocation
static _Thread_local bool is_beside = true;
static volatile sig_atomic_t is_running;

__attribute__((weak)) int
__sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                          void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *block, size_t size)
{
    (void)block;
    if (size <= allowed || (is_beside && size - allowed <= BESIDE))
        return;
    allowed = SIZE_MAX;
    fprintf(stderr, "fuzz: an allocation of %zu bytes\n", size);
    abort();
}

static void on_free(const volatile void *block)
{
    (void)block;
}

static void on_time(int number)
{
    static const char words[] = "fuzz: an input takes too long\n";
    (void)number;
    if (!is_running)
        return;
    if (write(STDERR_FILENO, words, sizeof words - 1) > 0)
        abort();
    abort();
}

static void begin(void)
{
    struct sigaction action = {.sa_handler = on_time, .sa_flags = SA_RESTART};
    fuzz_require(sigaction(SIGPROF, &action, NULL) == 0, "no clock");
    if (__sanitizer_install_malloc_and_free_hooks != NULL)
        fuzz_require(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0,
                     "allocations cannot be seen");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct itimerval time = {.it_value = {.tv_sec = SECONDS}};
    static int has_begun;
    if (!has_begun)
        begin();
    has_begun = 1;
    is_beside = false;
    setitimer(ITIMER_PROF, &time, NULL);
    is_running = 1;
    allowed = TIMES * size + FUZZ_FIXED;
    fuzz_one(data, size);
    allowed = SIZE_MAX;
    is_running = 0;
    return 0;
}
