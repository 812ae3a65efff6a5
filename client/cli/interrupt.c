/* SPDX-License-Identifier: MIT */
/*
 * The one flag that a signal handler may set: it cannot be passed in, so it is of the file. Signals
 * are let in only during ppoll, so that none falls between the look at the flag and the sleep.
 */
#include "interrupt.h"

#include <poll.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void cli_interrupt_begin(struct cli_interrupt *interrupt)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    sigaction(SIGINT, &action, &interrupt->old_int);
    sigaction(SIGTERM, &action, &interrupt->old_term);
}

void cli_interrupt_end(const struct cli_interrupt *interrupt)
{
    sigaction(SIGINT, &interrupt->old_int, NULL);
    sigaction(SIGTERM, &interrupt->old_term, NULL);
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}

bool cli_sleep_ns(int64_t duration_ns)
{
    sigset_t blocked;
    sigset_t old;
    struct timespec duration = {.tv_sec = (time_t)(duration_ns / 1000000000),
                                .tv_nsec = (long)(duration_ns % 1000000000)};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &old);
    if (interrupted == 0 && duration_ns > 0) {
        ppoll(NULL, 0, &duration, &old);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return interrupted == 0;
}
