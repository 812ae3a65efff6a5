// SPDX-License-Identifier: MIT
// Threads and their tasks: everything is done once, by several threads where it may be, few tasks
// are open at a time, none holds up the others, and shares are kept.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/query/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { TASKS = 200, PARTS = 50 };

static _Atomic int open_now, open_most, done_count;

struct task {
    struct taud_crew_task task; // first
    _Atomic int left, worked, inside, inside_most, done;
    _Atomic bool begun;
    int wait_for; // threads that must be in it together
};

static void raise(_Atomic int *most, int value)
{
    int old = atomic_load(most);
    while (old < value && !atomic_compare_exchange_weak(most, &old, value))
        ;
}

static bool work(struct taud_crew_task *crew_task, struct taud_crew_member *member)
{
    struct task *task = (struct task *)crew_task;
    void *memory = taud_aggregate_take(&member->memory, 100);
    assert_non_null(memory);
    if (!atomic_exchange(&task->begun, true))
        raise(&open_most, atomic_fetch_add(&open_now, 1) + 1);
    raise(&task->inside_most, atomic_fetch_add(&task->inside, 1) + 1);
    while (atomic_load(&task->inside_most) < task->wait_for)
        usleep(100);
    bool took = atomic_fetch_sub(&task->left, 1) > 0;
    if (took)
        atomic_fetch_add(&task->worked, 1);
    taud_aggregate_give(&member->memory, memory, 100);
    atomic_fetch_sub(&task->inside, 1);
    return took;
}

static bool work_whole(struct taud_crew_task *crew_task, struct taud_crew_member *member)
{
    while (work(crew_task, member))
        ;
    return false;
}

static void done(struct taud_crew_task *crew_task)
{
    struct task *task = (struct task *)crew_task;
    assert_int_equal(atomic_load(&task->inside), 0);
    atomic_fetch_sub(&open_now, 1);
    atomic_fetch_add(&task->done, 1);
    atomic_fetch_add(&done_count, 1);
}

static struct task *make_tasks(size_t count, int parts, bool single)
{
    struct task *tasks = calloc(count, sizeof *tasks);
    atomic_store(&done_count, 0);
    atomic_store(&open_most, 0);
    for (size_t i = 0; i < count; i++) {
        tasks[i].task.work = single ? work_whole : work;
        tasks[i].task.done = done;
        tasks[i].task.single = single;
        atomic_init(&tasks[i].left, parts);
    }
    return tasks;
}

static void wait_for_done(int count)
{
    for (int look = 0; atomic_load(&done_count) < count; look++) {
        assert_true(look < 100000);
        usleep(100);
    }
}

static void everything_is_done_once(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        for (int single = 0; single < 2; single++) {
            struct taud_crew *crew = taud_crew_new(taud_allocator_system(), threads);
            struct task *tasks = make_tasks(TASKS, PARTS, single != 0);
            assert_int_equal(taud_crew_size(crew), threads);
            for (size_t i = 0; i < TASKS; i++)
                assert_int_equal(taud_crew_submit(crew, &tasks[i].task), TAU_STATUS_SUCCESS);
            taud_crew_stop(crew); // waits for all
            assert_int_equal(atomic_load(&done_count), TASKS);
            assert_true(atomic_load(&open_most) <= TAUD_CREW_OPEN_MAX);
            for (size_t i = 0; i < TASKS; i++) {
                assert_int_equal(atomic_load(&tasks[i].worked), PARTS);
                assert_int_equal(atomic_load(&tasks[i].done), 1);
                assert_true(!single || atomic_load(&tasks[i].inside_most) == 1);
            }
            assert_int_equal(taud_crew_submit(crew, &tasks[0].task), TAU_STATUS_NO_MEMORY);
            taud_crew_free(crew);
            free(tasks);
        }
    }
}

// A task that cannot go on before three threads are in it gets them.
static void threads_join_in_one_task(void **state)
{
    (void)state;
    struct taud_crew *crew = taud_crew_new(taud_allocator_system(), 3);
    struct task *task = make_tasks(1, PARTS, false);
    task->wait_for = 3;
    assert_int_equal(taud_crew_submit(crew, &task->task), TAU_STATUS_SUCCESS);
    wait_for_done(1);
    assert_int_equal(atomic_load(&task->inside_most), 3);
    taud_crew_free(crew);
    free(task);
}

// With one thread a short task behind a long one is done long before that ends.
static void tasks_take_turns(void **state)
{
    (void)state;
    struct taud_crew *crew = taud_crew_new(taud_allocator_system(), 1);
    struct task *tasks = make_tasks(2, 1, false);
    atomic_store(&tasks[0].left, 1 << 30);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(taud_crew_submit(crew, &tasks[i].task), TAU_STATUS_SUCCESS);
    wait_for_done(1);
    assert_int_equal(atomic_load(&tasks[1].done), 1);
    assert_true(atomic_load(&tasks[0].left) > 0);
    atomic_store(&tasks[0].left, 0);
    wait_for_done(2);
    taud_crew_free(crew);
    free(tasks);
}

static void a_task_may_come_again(void **state)
{
    (void)state;
    struct taud_crew *crew = taud_crew_new(taud_allocator_system(), 2);
    struct task *task = make_tasks(1, 3, true);
    for (int round = 1; round <= 100; round++) {
        atomic_store(&task->left, 3);
        assert_int_equal(taud_crew_submit(crew, &task->task), TAU_STATUS_SUCCESS);
        wait_for_done(round);
        assert_int_equal(atomic_load(&task->worked), 3 * round);
    }
    taud_crew_free(crew);
    free(task);
}

// Nothing happens but when it is asked for, turn by turn; a stop does what is left.
static void a_crew_without_threads_takes_steps(void **state)
{
    (void)state;
    struct taud_crew *crew = taud_crew_new(taud_allocator_system(), 0);
    struct task *tasks = make_tasks(2, 2, false);
    assert_false(taud_crew_step(crew));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(taud_crew_submit(crew, &tasks[i].task), TAU_STATUS_SUCCESS);
    assert_int_equal(atomic_load(&tasks[0].worked), 0);
    for (int turn = 1; turn <= 2 * (2 + 1); turn++) { // the last of a task finds nothing left
        assert_true(taud_crew_step(crew));
        assert_true(atomic_load(&tasks[0].worked) + atomic_load(&tasks[1].worked) <= turn);
    }
    assert_int_equal(atomic_load(&tasks[0].worked), 2);
    assert_int_equal(atomic_load(&tasks[1].worked), 2);
    assert_int_equal(atomic_load(&done_count), 2);
    assert_false(taud_crew_step(crew));
    atomic_store(&tasks[0].left, 1);
    assert_int_equal(taud_crew_submit(crew, &tasks[0].task), TAU_STATUS_SUCCESS);
    taud_crew_stop(crew);
    assert_int_equal(atomic_load(&tasks[0].worked), 3);
    assert_int_equal(atomic_load(&tasks[0].done), 2);
    assert_int_equal(taud_crew_submit(crew, &tasks[0].task), TAU_STATUS_NO_MEMORY);
    taud_crew_free(crew);
    free(tasks);
}

static void shares_have_bounds(void **state)
{
    (void)state;
    struct taud_crew *crew = taud_crew_new(taud_allocator_system(), 1);
    const uint64_t half = TAUD_QUERY_LABEL_BYTES / 2;
    assert_true(taud_crew_reserve(crew, TAUD_CREW_LABELS, half));
    assert_false(taud_crew_reserve(crew, TAUD_CREW_LABELS, half + 1));
    assert_false(taud_crew_reserve(crew, TAUD_CREW_LABELS, UINT64_MAX));
    assert_true(taud_crew_reserve(crew, TAUD_CREW_LABELS, half));
    assert_false(taud_crew_reserve(crew, TAUD_CREW_LABELS, 1));
    assert_true(taud_crew_reserve(crew, TAUD_CREW_AHEAD, TAUD_QUERY_AHEAD_BYTES));
    taud_crew_return(crew, TAUD_CREW_LABELS, 1);
    assert_true(taud_crew_reserve(crew, TAUD_CREW_LABELS, 1));
    taud_crew_free(crew);
    taud_crew_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_done_once),
        cmocka_unit_test(threads_join_in_one_task),
        cmocka_unit_test(tasks_take_turns),
        cmocka_unit_test(a_task_may_come_again),
        cmocka_unit_test(a_crew_without_threads_takes_steps),
        cmocka_unit_test(shares_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
