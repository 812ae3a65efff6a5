// SPDX-License-Identifier: MIT
// Snapshots, asked for while others write. Each is started as a store of its own, as it is and as a
// power cut would leave it, and has to hold a state that the model had between the request and its
// end.
#include "operations.h"

#include <stdio.h>
#include <string.h>

enum { PASSED_MAX = 4096 };

// What an engine finds there that is started on the copy. Takes the disk.
static const char *look(struct world *world, struct disk *disk, const char *directory,
                        uint64_t *ret_digest)
{
    struct world copy;
    struct world_view view;
    struct world_settings settings = world->settings;
    const char *complaint = NULL;
    settings.directory = directory;
    settings.mutant = MUTANT_NONE;
    settings.trace = NULL;
    world_init_on(&copy, &settings, disk);
    world_take_age(&copy, world);
    if (world_start(&copy) != TAU_STATUS_SUCCESS)
        complaint = "does not start";
    else if (copy.recovery.lost_count + copy.recovery.quarantined_count > 0)
        complaint = "is damaged";
    else if (world_look(&copy, &view, &complaint))
        *ret_digest = view.digest;
    world_done(&copy);
    return complaint;
}

static void check(struct world *world, struct disk *disk, const char *directory, bool comparable)
{
    uint64_t digest = 0;
    const char *complaint = look(world, disk, directory, &digest);
    bool passed = !comparable || complaint;
    for (size_t i = 0; i < world->passed_count && !passed; i++)
        passed = world->passed[i] == digest;
    if (complaint)
        world_complain(world, "the snapshot %s %s", directory, complaint);
    else if (!passed)
        world_complain(world, "the snapshot %s holds something else than there was", directory);
}

// As somebody does who has no more use for it.
static void remove_all(struct disk *disk, const char *directory)
{
    const char *name;
    size_t length = strlen(directory);
    for (unsigned i = 0; (name = disk_file_name(disk, i)) != NULL;) {
        if (strncmp(name, directory, length) == 0 && name[length] == '/')
            disk_remove(disk, name);
        else
            i++;
    }
}

void store_snapshot(struct world *world)
{
    uint64_t passed[PASSED_MAX];
    char directory[40], name[16];
    snprintf(name, sizeof name, "s%u", world->step);
    snprintf(directory, sizeof directory, "data/snapshots/%s", name);
    unsigned ages = world->ages;
    world->passed = passed;
    world->passed_room = PASSED_MAX;
    world->passed_count = 0;
    world_pass(world);
    enum tau_status status = operations_work(world, TAUD_WORK_SNAPSHOT, name);
    if (status == TAU_STATUS_SUCCESS && !disk_fault_happened(world->disk)) {
        world_age_all(world);
        bool comparable = world->ages == ages && world->passed_count < PASSED_MAX;
        check(world, disk_copy(world->disk), directory, comparable);
        check(world, disk_power_cut(world->disk, 0), directory, comparable);
    }
    world->passed = NULL;
    remove_all(world->disk, directory);
}
