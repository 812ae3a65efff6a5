// SPDX-License-Identifier: MIT
// A catalog object: its blocks, and whether this server knows every record in them. It must not
// know what records do.
#include "inspector.h"

#include "../catalog_store.h"
#include "../record.h"

#include <stdio.h>

struct catalog_check {
    struct taud_inspector *inspector;
    const char *name;
    bool told; // of a record that is not known
};

static enum tau_status check_block(const uint8_t *records, size_t size, void *user_data)
{
    struct catalog_check *check = user_data;
    while (size > 0) {
        struct taud_record record;
        uint8_t type = records[0];
        if (taud_record_decode(&records, &size, &record))
            continue;
        char problem[100];
        snprintf(problem, sizeof problem, "a record of type %u: a later version wrote it", type);
        if (!check->told)
            taud_inspector_tell(
                check->inspector,
                (struct taud_finding){TAUD_FINDING_UNKNOWN, check->name, 0, 0, problem, "", NULL});
        check->told = true; // what is behind it is of that version too
        break;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_check_catalog(struct taud_inspector *inspector,
                                   const struct taud_manifest_catalog *entry)
{
    static const struct {
        enum taud_finding_kind kind;
        const char *problem, *loss;
    } faults[] = {
        [TAUD_CATALOG_NO_FAULT] = {TAUD_FINDING_UNKNOWN, "it cannot be read", ""},
        [TAUD_CATALOG_MISSING] = {TAUD_FINDING_DAMAGED, "it is missing",
                                  "the labels, policies and lenses that only it holds"},
        [TAUD_CATALOG_DAMAGED] = {TAUD_FINDING_DAMAGED, "some of it does not match its checksum",
                                  "labels, policies and lenses that only this holds"},
        [TAUD_CATALOG_FUTURE] = {TAUD_FINDING_UNKNOWN, "a later version wrote it", ""},
    };
    char name[TAUD_NUMBER_NAME_BYTES];
    enum taud_catalog_fault fault;
    taud_catalog_object_name(entry->number, name);
    struct catalog_check check = {.inspector = inspector, .name = name};
    enum tau_status status = taud_catalog_read(&inspector->store, entry, check_block, &check,
                                               &fault, inspector->error);
    inspector->report->catalog_count++;
    taud_inspector_advance(inspector, entry->size);
    if (status != TAU_STATUS_INTERNAL_ERROR)
        return status;
    taud_inspector_tell(inspector,
                        (struct taud_finding){faults[fault].kind, name, 0, 0, faults[fault].problem,
                                              faults[fault].loss, NULL});
    return TAU_STATUS_SUCCESS;
}
