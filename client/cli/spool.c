/* SPDX-License-Identifier: MIT */
/*
 * Two buffers: one is filled while the thread writes the other. A signal ends the program whichever
 * thread gets it, so it needs no care here.
 */
#include "spool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_BYTES ((size_t)64 * 1024)

struct buffer {
    char *data;
    size_t size;
    size_t capacity;
};

struct cli_spool {
    FILE *out;
    FILE *file;
    size_t limit;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct buffer waiting;
    bool ended;  /* nothing more comes */
    bool failed; /* nothing more goes */
    bool waited;
};

/* Makes room for more bytes, as far as the limit lets it. Returns how many fit. */
static size_t make_room(struct buffer *buffer, size_t size, size_t limit)
{
    size_t wanted = buffer->size + size < limit ? buffer->size + size : limit;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_BYTES;
    while (capacity < wanted) {
        capacity *= 2;
    }
    if (capacity > buffer->capacity) {
        char *data = realloc(buffer->data, capacity);
        if (data != NULL) {
            buffer->data = data;
            buffer->capacity = capacity;
        }
    }
    size_t room = (buffer->capacity < limit ? buffer->capacity : limit) - buffer->size;
    return room < size ? room : size;
}

static ssize_t take(void *cookie, const char *data, size_t size)
{
    struct cli_spool *spool = cookie;
    size_t taken = 0;
    pthread_mutex_lock(&spool->mutex);
    while (taken < size && !spool->failed) {
        size_t count = make_room(&spool->waiting, size - taken, spool->limit);
        if (count == 0 && spool->waiting.capacity == 0) {
            break; /* there is no memory at all */
        }
        if (count == 0) {
            spool->waited = true;
            pthread_cond_wait(&spool->changed, &spool->mutex);
            continue;
        }
        memcpy(spool->waiting.data + spool->waiting.size, data + taken, count);
        spool->waiting.size += count;
        taken += count;
        pthread_cond_broadcast(&spool->changed);
    }
    pthread_mutex_unlock(&spool->mutex);
    return (ssize_t)taken;
}

static void *hand_on(void *user_data)
{
    struct cli_spool *spool = user_data;
    struct buffer writing = {.data = NULL};
    pthread_mutex_lock(&spool->mutex);
    for (;;) {
        while (spool->waiting.size == 0 && !spool->ended) {
            pthread_cond_wait(&spool->changed, &spool->mutex);
        }
        if (spool->waiting.size == 0) {
            break;
        }
        struct buffer full = spool->waiting;
        spool->waiting = writing;
        spool->waiting.size = 0;
        writing = full;
        pthread_cond_broadcast(&spool->changed);
        pthread_mutex_unlock(&spool->mutex);
        bool written = fwrite(writing.data, 1, writing.size, spool->out) == writing.size &&
                       fflush(spool->out) == 0;
        pthread_mutex_lock(&spool->mutex);
        spool->failed |= !written;
        if (spool->failed) {
            pthread_cond_broadcast(&spool->changed);
            break;
        }
    }
    pthread_mutex_unlock(&spool->mutex);
    free(writing.data);
    return NULL;
}

static bool may_wait(FILE *out)
{
    struct stat status;
    int descriptor = fileno(out);
    return descriptor >= 0 && fstat(descriptor, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

static void forget(struct cli_spool *spool)
{
    pthread_cond_destroy(&spool->changed);
    pthread_mutex_destroy(&spool->mutex);
    free(spool->waiting.data);
    free(spool);
}

struct cli_spool *cli_spool_begin(FILE *out, size_t limit, FILE **ret_file)
{
    struct cli_spool *spool = may_wait(out) ? calloc(1, sizeof(*spool)) : NULL;
    if (spool == NULL) {
        return NULL;
    }
    spool->out = out;
    spool->limit = limit;
    pthread_mutex_init(&spool->mutex, NULL);
    pthread_cond_init(&spool->changed, NULL);
    spool->file = fopencookie(spool, "w", (cookie_io_functions_t){.write = take});
    if (spool->file == NULL) {
        forget(spool);
        return NULL;
    }
    if (fflush(out) != 0 || pthread_create(&spool->thread, NULL, hand_on, spool) != 0) {
        fclose(spool->file);
        forget(spool);
        return NULL;
    }
    *ret_file = spool->file;
    return spool;
}

bool cli_spool_end(struct cli_spool *spool)
{
    if (spool == NULL) {
        return false;
    }
    fclose(spool->file);
    pthread_mutex_lock(&spool->mutex);
    spool->ended = true;
    pthread_cond_broadcast(&spool->changed);
    pthread_mutex_unlock(&spool->mutex);
    pthread_join(spool->thread, NULL);
    bool waited = spool->waited;
    forget(spool);
    return waited;
}
