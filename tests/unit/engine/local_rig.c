// SPDX-License-Identifier: MIT
// Makes and unmakes backends on a disk in memory. It must not know what the files hold.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include <stdio.h>

static void make_backend(struct local_rig *rig)
{
    struct taud_local_options options = {
        .directory = "data",
        .segment_bytes = LOCAL_RIG_SEGMENT_BYTES,
        .file_seed = 0x5eed,
        .io = disk_io(rig->disk),
        .allocator = &rig->memory.table,
    };
    assert_int_equal(taud_local_backend_new(&options, &rig->backend, &rig->error),
                     TAU_STATUS_SUCCESS);
    rig->local = taud_local_of(rig->backend);
}

void local_rig_init(struct local_rig *rig, bool direct)
{
    memset(rig, 0, sizeof *rig);
    failing_allocator_init(&rig->memory, 0, false);
    rig->disk = disk_new(direct);
    make_backend(rig);
}

static void free_backend(struct local_rig *rig)
{
    rig->backend->log->close(rig->backend);
    rig->backend->free(rig->backend);
    assert_int_equal(atomic_load(&rig->memory.live), 0);
}

void local_rig_done(struct local_rig *rig)
{
    free_backend(rig);
    disk_free(rig->disk);
}

void local_rig_renew(struct local_rig *rig)
{
    free_backend(rig);
    make_backend(rig);
}

void local_rig_open(struct local_rig *rig)
{
    assert_int_equal(rig->backend->open(rig->backend, &rig->error), TAU_STATUS_SUCCESS);
}

uint8_t *local_rig_file(struct local_rig *rig, const char *name, uint64_t *ret_size)
{
    char path[120];
    snprintf(path, sizeof path, "data/%s", name);
    return disk_file(rig->disk, path, ret_size);
}

void local_rig_put(struct local_rig *rig, const char *name, const void *data, size_t size)
{
    const struct taud_io *io = disk_io(rig->disk);
    char path[120];
    snprintf(path, sizeof path, "data/%s", name);
    int file = io->open(io->context, path, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600);
    assert_true(file >= 0);
    assert_int_equal(io->truncate(io->context, file, 0), 0);
    assert_int_equal(taud_io_write_all(io, file, data, size, 0), 0);
    assert_int_equal(io->sync(io->context, file), 0);
    io->close(io->context, file);
    assert_int_equal(io->sync_directory(io->context, "data/."), 0);
}

unsigned local_rig_try_each_call(const struct local_rig_trial *trial, struct disk_fault fault)
{
    bool reached = true;
    for (fault.at = 1; reached; fault.at++) {
        struct local_rig rig;
        local_rig_init(&rig, trial->direct);
        trial->prepare(&rig);
        disk_set_fault(rig.disk, fault);
        int answer = trial->run(&rig);
        reached = disk_calls(rig.disk) >= fault.at;
        bool failed = disk_fault_happened(rig.disk); // not each call can find a disk full
        if (fault.kind != DISK_FAULT_CUT) // what was cut off stays so until the disk starts again
            disk_set_fault(rig.disk, (struct disk_fault){0});
        trial->check(&rig, answer, failed);
        local_rig_done(&rig);
    }
    return (unsigned)(fault.at - 2);
}
