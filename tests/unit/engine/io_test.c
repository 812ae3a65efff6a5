// SPDX-License-Identifier: MIT
// The file seam on real files: each function does what its header says, and a failure is a
// negative errno. Then the loops above it, on a scripted file that moves a part, is interrupted,
// fails, or never gets on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct taud_io *io;
static char base[] = "/tmp/taud-io-XXXXXX";
static char file_path[64], other_path[64], missing_path[64];

static int make_base(void **state)
{
    (void)state;
    io = taud_io_posix();
    if (!mkdtemp(base))
        return -1;
    snprintf(file_path, sizeof file_path, "%s/file", base);
    snprintf(other_path, sizeof other_path, "%s/other", base);
    snprintf(missing_path, sizeof missing_path, "%s/missing/file", base);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(file_path);
    unlink(other_path);
    return 0;
}

static int remove_base(void **state)
{
    (void)state;
    return rmdir(base);
}

static int open_new(const char *path)
{
    int file = io->open(io->context, path,
                        TAUD_IO_READ | TAUD_IO_WRITE | TAUD_IO_CREATE | TAUD_IO_EXCLUSIVE, 0600);
    assert_true(file >= 0);
    return file;
}

static void close_file(int file)
{
    assert_int_equal(io->close(io->context, file), 0);
}

static void a_file_is_opened_as_the_flags_say(void **state)
{
    (void)state;
    char byte = 'x';
    assert_int_equal(io->open(io->context, file_path, TAUD_IO_READ, 0), -ENOENT);
    assert_int_equal(io->open(io->context, missing_path, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600),
                     -ENOENT);
    close_file(open_new(file_path));
    assert_int_equal(
        io->open(io->context, file_path, TAUD_IO_WRITE | TAUD_IO_CREATE | TAUD_IO_EXCLUSIVE, 0600),
        -EEXIST);

    int file = io->open(io->context, file_path, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600);
    assert_true(file >= 0);
    assert_true((fcntl(file, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(io->write(io->context, file, &byte, 1, 0), 1);
    assert_int_equal(io->read(io->context, file, &byte, 1, 0), -EBADF);
    close_file(file);

    close_file(io->open(io->context, file_path, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600));
    file = io->open(io->context, file_path, TAUD_IO_READ, 0);
    assert_int_equal(io->write(io->context, file, &byte, 1, 0), -EBADF);
    assert_int_equal(io->read(io->context, file, &byte, 1, 0), 1); // nothing was cut
    close_file(file);
    assert_int_equal(io->close(io->context, file), -EBADF);
}

// Where the file system can do it: past the cache, in whole blocks, and durable if asked for.
static void direct_writes_are_whole_blocks(void **state)
{
    (void)state;
    close_file(open_new(file_path));
    int file = io->open(io->context, file_path, TAUD_IO_WRITE | TAUD_IO_DIRECT_SYNC, 0);
    if (file == -EINVAL)
        return;
    assert_true(file >= 0);
    assert_int_equal(fcntl(file, F_GETFL) & (O_DIRECT | O_DSYNC), O_DIRECT | O_DSYNC);
    uint8_t *block = aligned_alloc(TAUD_IO_BLOCK, TAUD_IO_BLOCK);
    memset(block, 0x5a, TAUD_IO_BLOCK);
    assert_int_equal(io->write(io->context, file, block, TAUD_IO_BLOCK, TAUD_IO_BLOCK),
                     TAUD_IO_BLOCK);
    uint64_t size = 0;
    assert_int_equal(io->size(io->context, file, &size), 0);
    assert_int_equal(size, 2 * TAUD_IO_BLOCK);
    free(block);
    close_file(file);
    file = io->open(io->context, file_path, TAUD_IO_WRITE | TAUD_IO_DIRECT, 0);
    assert_true(file >= 0);
    assert_int_equal(fcntl(file, F_GETFL) & (O_DIRECT | O_DSYNC), O_DIRECT);
    close_file(file);
}

static void bytes_stand_at_their_offset(void **state)
{
    (void)state;
    int file = open_new(file_path);
    char back[8] = "";
    uint64_t size = 0;
    assert_int_equal(io->write(io->context, file, "world", 5, 6), 5);
    assert_int_equal(io->write(io->context, file, "hello ", 6, 0), 6);
    assert_int_equal(io->read(io->context, file, back, 5, 3), 5);
    assert_memory_equal(back, "lo wo", 5);
    assert_int_equal(io->read(io->context, file, back, 8, 8), 3);
    assert_int_equal(io->read(io->context, file, back, 8, 11), 0);
    assert_int_equal(io->sync(io->context, file), 0);
    io->uncache(io->context, file, 0, 11);
    assert_int_equal(io->read(io->context, file, back, 5, 0), 5);
    assert_memory_equal(back, "hello", 5);
    assert_int_equal(io->size(io->context, file, &size), 0);
    assert_int_equal(size, 11);
    close_file(file);
}

static void room_is_given_and_taken(void **state)
{
    (void)state;
    int file = open_new(file_path);
    char back[8];
    uint64_t size = 0;
    assert_int_equal(io->write(io->context, file, "kept", 4, 0), 4);
    assert_int_equal(io->preallocate(io->context, file, 10000), 0);
    assert_int_equal(io->size(io->context, file, &size), 0);
    assert_int_equal(size, 10000);
    assert_int_equal(io->read(io->context, file, back, 8, 0), 8);
    assert_memory_equal(back, "kept\0\0\0\0", 8);
    assert_int_equal(io->preallocate(io->context, file, 100), 0);
    assert_int_equal(io->size(io->context, file, &size), 0);
    assert_int_equal(size, 10000);
    assert_int_equal(io->truncate(io->context, file, 2), 0);
    assert_int_equal(io->read(io->context, file, back, 8, 0), 2);
    assert_true(io->preallocate(io->context, file, UINT64_C(1) << 62) < -1);
    close_file(file);
}

static void a_lock_is_held_by_one_and_ends_with_its_file(void **state)
{
    (void)state;
    int first = open_new(file_path);
    int second = io->open(io->context, file_path, TAUD_IO_WRITE, 0);
    assert_int_equal(io->lock(io->context, first), 0);
    assert_int_equal(io->lock(io->context, second), -EWOULDBLOCK);
    close_file(first);
    assert_int_equal(io->lock(io->context, second), 0);
    close_file(second);
}

static void a_shared_lock_keeps_out_the_exclusive_one(void **state)
{
    (void)state;
    int first = open_new(file_path);
    int second = io->open(io->context, file_path, TAUD_IO_READ, 0);
    int third = io->open(io->context, file_path, TAUD_IO_READ, 0);
    assert_int_equal(io->lock_shared(io->context, second), 0);
    assert_int_equal(io->lock_shared(io->context, third), 0);
    assert_int_equal(io->lock(io->context, first), -EWOULDBLOCK);
    close_file(second);
    close_file(third);
    assert_int_equal(io->lock(io->context, first), 0);
    close_file(first);
}

static void names_are_moved_and_removed(void **state)
{
    (void)state;
    int file = open_new(file_path);
    assert_int_equal(io->write(io->context, file, "new", 3, 0), 3);
    close_file(file);
    close_file(open_new(other_path));
    assert_int_equal(io->rename(io->context, file_path, other_path), 0);
    assert_int_equal(io->rename(io->context, file_path, other_path), -ENOENT);
    file = io->open(io->context, other_path, TAUD_IO_READ, 0);
    char back[3];
    assert_int_equal(io->read(io->context, file, back, 3, 0), 3);
    assert_memory_equal(back, "new", 3);
    close_file(file);
    assert_int_equal(io->unlink(io->context, other_path), 0);
    assert_int_equal(io->unlink(io->context, other_path), -ENOENT);
}

static void a_file_has_two_names_until_both_are_removed(void **state)
{
    (void)state;
    int file = open_new(file_path);
    assert_int_equal(io->write(io->context, file, "new", 3, 0), 3);
    close_file(file);
    assert_int_equal(io->link(io->context, missing_path, other_path), -ENOENT);
    assert_int_equal(io->link(io->context, file_path, other_path), 0);
    assert_int_equal(io->link(io->context, file_path, other_path), -EEXIST);
    assert_int_equal(io->unlink(io->context, file_path), 0);
    char back[3];
    file = io->open(io->context, other_path, TAUD_IO_READ, 0);
    assert_int_equal(io->read(io->context, file, back, 3, 0), 3);
    assert_memory_equal(back, "new", 3);
    close_file(file);
    assert_int_equal(io->unlink(io->context, other_path), 0);
}

static void directories_are_made_once_and_synced(void **state)
{
    (void)state;
    assert_int_equal(io->make_directory(io->context, file_path, 0700), 0);
    assert_int_equal(io->make_directory(io->context, file_path, 0700), 0);
    assert_int_equal(io->make_directory(io->context, missing_path, 0700), -ENOENT);
    assert_int_equal(io->sync_directory(io->context, file_path), 0);
    assert_int_equal(io->sync_directory(io->context, missing_path), -ENOENT);
    assert_int_equal(rmdir(file_path), 0);
    close_file(open_new(file_path));
    assert_int_equal(io->sync_directory(io->context, file_path), -ENOTDIR);
}

static void the_space_of_a_file_system_is_told(void **state)
{
    (void)state;
    uint64_t space = 77;
    assert_int_equal(io->space(io->context, missing_path, &space), -ENOENT);
    assert_int_equal(space, 77);
    close_file(open_new(file_path));
    assert_int_equal(io->space(io->context, file_path, &space), 0);
    assert_true(space % 512 == 0 && space > 4096); // of the machine that runs this
}

static void a_closed_file_is_refused_by_every_function(void **state)
{
    (void)state;
    uint64_t size = 77;
    int file = open_new(file_path);
    close_file(file);
    assert_int_equal(io->write(io->context, file, "x", 1, 0), -EBADF);
    assert_int_equal(io->sync(io->context, file), -EBADF);
    assert_int_equal(io->preallocate(io->context, file, 1), -EBADF);
    assert_int_equal(io->truncate(io->context, file, 1), -EBADF);
    assert_int_equal(io->size(io->context, file, &size), -EBADF);
    assert_int_equal(size, 77);
    assert_int_equal(io->lock(io->context, file), -EBADF);
}

struct listing {
    unsigned files, others, calls;
    unsigned end_at;
};

static int list_name(const char *name, void *user_data)
{
    struct listing *listing = user_data;
    bool known = strcmp(name, "file") == 0 || strcmp(name, "other") == 0;
    listing->files += known;
    listing->others += !known;
    return ++listing->calls == listing->end_at ? -ECANCELED : 0;
}

static void each_name_is_listed_once_until_the_callback_ends_it(void **state)
{
    (void)state;
    close_file(open_new(file_path));
    close_file(open_new(other_path));
    struct listing all = {0}, one = {.end_at = 1};
    assert_int_equal(io->list_directory(io->context, base, list_name, &all), 0);
    assert_int_equal(all.files, 2);
    assert_int_equal(all.others, 0);
    assert_int_equal(io->list_directory(io->context, base, list_name, &one), -ECANCELED);
    assert_int_equal(one.calls, 1);
    assert_int_equal(io->list_directory(io->context, missing_path, list_name, &one), -ENOENT);
    assert_int_equal(one.calls, 1);
}

// --- the loops --------------------------------------------------------------------------------

// A file whose calls move at most so many bytes, or fail: 0 moves everything, a negative number is
// returned. Behind the script everything is moved.
struct scripted {
    uint8_t bytes[5 * TAUD_IO_BLOCK];
    size_t size;
    int64_t script[32];
    unsigned scripted, calls;
    bool blocks_only;
};

static int64_t next_count(struct scripted *file, size_t size, uint64_t offset)
{
    if (file->blocks_only)
        assert_int_equal(offset % TAUD_IO_BLOCK, 0);
    int64_t most = file->calls < file->scripted ? file->script[file->calls] : INT64_MAX;
    file->calls++;
    return most < (int64_t)size ? most : (int64_t)size;
}

static int64_t scripted_read(void *context, int number, void *data, size_t size, uint64_t offset)
{
    struct scripted *file = context;
    assert_int_equal(number, 3);
    size_t left = offset < file->size ? file->size - (size_t)offset : 0;
    int64_t count = next_count(file, size < left ? size : left, offset);
    if (count > 0)
        memcpy(data, file->bytes + offset, (size_t)count);
    return count;
}

static int64_t scripted_write(void *context, int number, const void *data, size_t size,
                              uint64_t offset)
{
    struct scripted *file = context;
    assert_int_equal(number, 3);
    assert_true(offset + size <= sizeof file->bytes);
    int64_t count = next_count(file, size, offset);
    if (count > 0)
        memcpy(file->bytes + offset, data, (size_t)count);
    return count;
}

static struct taud_io scripted_io(struct scripted *file)
{
    return (struct taud_io){.context = file, .read = scripted_read, .write = scripted_write};
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
}

static void reading_goes_on_through_short_counts_to_the_end(void **state)
{
    (void)state;
    struct scripted file = {.size = 1000, .script = {1, -EINTR, 100, -EINTR}, .scripted = 4};
    struct taud_io table = scripted_io(&file);
    uint8_t back[1000] = {0};
    fill(file.bytes, file.size);
    assert_int_equal(taud_io_read_all(&table, 3, back, 600, 50), 600);
    assert_memory_equal(back, file.bytes + 50, 600);
    assert_int_equal(taud_io_read_all(&table, 3, back, 1000, 900), 100);
    assert_memory_equal(back, file.bytes + 900, 100);
    assert_int_equal(taud_io_read_all(&table, 3, back, 1000, 1000), 0);
    unsigned calls = file.calls;
    assert_int_equal(taud_io_read_all(&table, 3, back, 0, 0), 0);
    assert_int_equal(file.calls, calls);
}

static void an_error_ends_both_loops(void **state)
{
    (void)state;
    struct scripted file = {.size = 1000, .script = {10, -EIO, 10, -ENOSPC}, .scripted = 4};
    struct taud_io table = scripted_io(&file);
    uint8_t bytes[1000] = {0};
    assert_int_equal(taud_io_read_all(&table, 3, bytes, 1000, 0), -EIO);
    assert_int_equal(taud_io_write_all(&table, 3, bytes, 1000, 5), -ENOSPC);
    assert_int_equal(file.calls, 4);
}

static void writing_from_a_block_goes_on_from_a_block(void **state)
{
    (void)state;
    struct scripted file = {
        .script = {TAUD_IO_BLOCK + 700, -EINTR, 100, 2 * TAUD_IO_BLOCK},
        .scripted = 4,
        .blocks_only = true,
    };
    struct taud_io table = scripted_io(&file);
    uint8_t bytes[4 * TAUD_IO_BLOCK];
    fill(bytes, sizeof bytes);
    assert_int_equal(taud_io_write_all(&table, 3, bytes, sizeof bytes, TAUD_IO_BLOCK), 0);
    assert_memory_equal(file.bytes + TAUD_IO_BLOCK, bytes, sizeof bytes);
    assert_int_equal(file.calls, 5);
    assert_int_equal(taud_io_write_all(&table, 3, bytes, 0, 0), 0);
    assert_int_equal(file.calls, 5);
    assert_int_equal(taud_io_write_all(&table, 3, bytes, TAUD_IO_BLOCK + 100, 0), 0);
    assert_memory_equal(file.bytes, bytes, TAUD_IO_BLOCK + 100);
    assert_int_equal(file.calls, 6);
}

static void writing_from_elsewhere_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct scripted file = {.script = {-EINTR}, .scripted = 32};
    struct taud_io table = scripted_io(&file);
    uint8_t bytes[100];
    fill(bytes, sizeof bytes);
    for (int i = 1; i < 32; i++)
        file.script[i] = i % 4 + 1;
    assert_int_equal(taud_io_write_all(&table, 3, bytes, sizeof bytes, 10), 0);
    assert_memory_equal(file.bytes + 10, bytes, sizeof bytes);
    assert_int_equal(file.calls, 33);
}

static void a_file_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    for (int64_t part = 0; part < TAUD_IO_BLOCK; part += TAUD_IO_BLOCK - 1) {
        struct scripted file = {.scripted = 32};
        struct taud_io table = scripted_io(&file);
        uint8_t bytes[2 * TAUD_IO_BLOCK] = {0};
        for (int i = 0; i < 32; i++)
            file.script[i] = part;
        assert_int_equal(taud_io_write_all(&table, 3, bytes, sizeof bytes, 0), -EIO);
        assert_true(file.calls > 1 && file.calls < 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_file_is_opened_as_the_flags_say, remove_files),
        cmocka_unit_test_teardown(direct_writes_are_whole_blocks, remove_files),
        cmocka_unit_test_teardown(bytes_stand_at_their_offset, remove_files),
        cmocka_unit_test_teardown(room_is_given_and_taken, remove_files),
        cmocka_unit_test_teardown(a_lock_is_held_by_one_and_ends_with_its_file, remove_files),
        cmocka_unit_test_teardown(a_shared_lock_keeps_out_the_exclusive_one, remove_files),
        cmocka_unit_test_teardown(names_are_moved_and_removed, remove_files),
        cmocka_unit_test_teardown(a_file_has_two_names_until_both_are_removed, remove_files),
        cmocka_unit_test_teardown(directories_are_made_once_and_synced, remove_files),
        cmocka_unit_test_teardown(the_space_of_a_file_system_is_told, remove_files),
        cmocka_unit_test_teardown(a_closed_file_is_refused_by_every_function, remove_files),
        cmocka_unit_test_teardown(each_name_is_listed_once_until_the_callback_ends_it,
                                  remove_files),
        cmocka_unit_test(reading_goes_on_through_short_counts_to_the_end),
        cmocka_unit_test(an_error_ends_both_loops),
        cmocka_unit_test(writing_from_a_block_goes_on_from_a_block),
        cmocka_unit_test(writing_from_elsewhere_goes_on_where_it_stopped),
        cmocka_unit_test(a_file_that_takes_nothing_is_given_up),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
