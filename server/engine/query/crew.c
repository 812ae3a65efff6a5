// SPDX-License-Identifier: MIT
// The threads. Tasks wait in a list and move, in their order, to a ring of those that are open; a
// free thread takes the first of the ring, which goes to its end.
#include "crew.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct taud_crew {
    const struct taud_allocator *allocator;
    pthread_mutex_t mutex; // covers all up to `started`
    pthread_cond_t wanted;
    struct taud_crew_task *waiting, **waiting_end;
    struct taud_crew_task *ring, **ring_end; // open, and not drained
    unsigned open_count;
    unsigned idle_count;
    unsigned started; // threads
    bool stopping;
    unsigned size;
    _Atomic uint64_t shares[TAUD_CREW_SHARES]; // bytes in use
    pthread_t threads[];
};

struct taud_crew *taud_crew_new(const struct taud_allocator *allocator, unsigned count)
{
    assert(count <= TAUD_CREW_THREADS_MAX);
    struct taud_crew *crew =
        allocator->allocate(allocator->context, sizeof *crew + count * sizeof crew->threads[0]);
    if (!crew)
        return NULL;
    memset(crew, 0, sizeof *crew);
    crew->allocator = allocator;
    crew->size = count;
    crew->waiting_end = &crew->waiting;
    crew->ring_end = &crew->ring;
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->wanted, NULL);
    return crew;
}

// --- lists ------------------------------------------------------------------------------------

static void add(struct taud_crew_task ***end, struct taud_crew_task *task)
{
    task->next = NULL;
    **end = task;
    *end = &task->next;
}

static struct taud_crew_task *take(struct taud_crew_task **first, struct taud_crew_task ***end)
{
    struct taud_crew_task *task = *first;
    *first = task->next;
    if (!*first)
        *end = first;
    return task;
}

static void leave_ring(struct taud_crew *crew, const struct taud_crew_task *task)
{
    struct taud_crew_task **place = &crew->ring;
    while (*place != task)
        place = &(*place)->next;
    *place = task->next;
    if (!*place)
        crew->ring_end = place;
}

// --- work -------------------------------------------------------------------------------------

// The next task to work on, or NULL. With the lock.
static struct taud_crew_task *enter(struct taud_crew *crew)
{
    if (crew->waiting && crew->open_count < TAUD_CREW_OPEN_MAX) {
        crew->open_count++;
        add(&crew->ring_end, take(&crew->waiting, &crew->waiting_end));
    }
    if (!crew->ring)
        return NULL;
    struct taud_crew_task *task = take(&crew->ring, &crew->ring_end);
    task->inside++;
    if (task->single)
        task->drained = true;
    else
        add(&crew->ring_end, task);
    return task;
}

// Returns whether that was the last thread in it, and nothing is left. With the lock.
static bool leave(struct taud_crew *crew, struct taud_crew_task *task, bool more)
{
    if (!more && !task->drained) {
        task->drained = true;
        leave_ring(crew, task);
    }
    return --task->inside == 0 && task->drained;
}

static bool has_work(const struct taud_crew *crew)
{
    return crew->ring || (crew->waiting && crew->open_count < TAUD_CREW_OPEN_MAX);
}

static void init_member(struct taud_crew_member *member, const struct taud_crew *crew)
{
    *member = (struct taud_crew_member){
        .memory = {.allocator = crew->allocator, .limit_bytes = TAUD_QUERY_TASK_BYTES}};
}

// Works on the task whose turn it is. Returns false when there is none. With the lock, which it
// gives back meanwhile.
static bool take_turn(struct taud_crew *crew, struct taud_crew_member *member)
{
    struct taud_crew_task *task = enter(crew);
    if (!task)
        return false;
    if (crew->idle_count > 0 && has_work(crew))
        pthread_cond_signal(&crew->wanted);
    pthread_mutex_unlock(&crew->mutex);
    bool more = task->work(task, member);
    assert(member->memory.used_bytes == 0);
    pthread_mutex_lock(&crew->mutex);
    if (leave(crew, task, more)) {
        pthread_mutex_unlock(&crew->mutex);
        task->done(task);
        pthread_mutex_lock(&crew->mutex);
        crew->open_count--; // only now: until it was told, the task holds what it took
    }
    return true;
}

static void *run(void *user_data)
{
    struct taud_crew *crew = user_data;
    struct taud_crew_member member;
    init_member(&member, crew);
    pthread_mutex_lock(&crew->mutex);
    for (;;) {
        if (take_turn(crew, &member))
            continue;
        if (crew->stopping)
            break;
        crew->idle_count++;
        pthread_cond_wait(&crew->wanted, &crew->mutex);
        crew->idle_count--;
    }
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

bool taud_crew_step(struct taud_crew *crew)
{
    struct taud_crew_member member;
    init_member(&member, crew);
    pthread_mutex_lock(&crew->mutex);
    bool worked = take_turn(crew, &member);
    pthread_mutex_unlock(&crew->mutex);
    return worked;
}

// With the lock. One thread is enough to go on with, where there are to be any.
static bool start(struct taud_crew *crew)
{
    while (crew->started < crew->size &&
           pthread_create(&crew->threads[crew->started], NULL, run, crew) == 0)
        crew->started++;
    return crew->started > 0 || crew->size == 0;
}

enum tau_status taud_crew_submit(struct taud_crew *crew, struct taud_crew_task *task)
{
    pthread_mutex_lock(&crew->mutex);
    bool started = !crew->stopping && (crew->started > 0 || start(crew));
    if (started) {
        task->inside = 0;
        task->drained = false;
        add(&crew->waiting_end, task);
        pthread_cond_signal(&crew->wanted);
    }
    pthread_mutex_unlock(&crew->mutex);
    return started ? TAU_STATUS_SUCCESS : TAU_STATUS_NO_MEMORY;
}

void taud_crew_stop(struct taud_crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    crew->stopping = true;
    pthread_cond_broadcast(&crew->wanted);
    pthread_mutex_unlock(&crew->mutex);
    for (; crew->started > 0; crew->started--)
        pthread_join(crew->threads[crew->started - 1], NULL);
    while (crew->size == 0 && taud_crew_step(crew))
        ;
    assert(!crew->waiting && crew->open_count == 0);
}

void taud_crew_free(struct taud_crew *crew)
{
    if (!crew)
        return;
    taud_crew_stop(crew);
    pthread_cond_destroy(&crew->wanted);
    pthread_mutex_destroy(&crew->mutex);
    crew->allocator->release(crew->allocator->context, crew);
}

unsigned taud_crew_size(const struct taud_crew *crew)
{
    return crew->size;
}

// --- shares -----------------------------------------------------------------------------------

bool taud_crew_reserve(struct taud_crew *crew, enum taud_crew_share share, uint64_t bytes)
{
    static const uint64_t limits[TAUD_CREW_SHARES] = {
        [TAUD_CREW_AHEAD] = TAUD_QUERY_AHEAD_BYTES,
        [TAUD_CREW_LABELS] = TAUD_QUERY_LABEL_BYTES,
    };
    uint64_t used = atomic_fetch_add_explicit(&crew->shares[share], bytes, memory_order_relaxed);
    if (bytes <= limits[share] && used <= limits[share] - bytes)
        return true;
    taud_crew_return(crew, share, bytes);
    return false;
}

void taud_crew_return(struct taud_crew *crew, enum taud_crew_share share, uint64_t bytes)
{
    atomic_fetch_sub_explicit(&crew->shares[share], bytes, memory_order_relaxed);
}
