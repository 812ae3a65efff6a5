// SPDX-License-Identifier: MIT
// The engine's start on any log. The input is the content of groups, which are put into a segment
// under good checksums, so that what is tried are the records; a byte of the segment may be damaged
// then. The engine starts or says why not, and leaves a log alone that it refuses. Once started it
// is in use: a second start finds the same, a third what was written in between.
//
// An input: options, where the damage is (2 bytes), how the byte is changed; then groups, each the
// size of its content (2 bytes, little-endian) and the content.

#include <string.h>

#include "engine/crc32c.h"
#include "engine/local.h"
#include "fuzz.h"
#include "script.h"

static const char SEGMENT[] = "data/log/0000000000000001.log";

enum {
    EPOCH = 1,
    FILE_ID = 77,
    OPTION_DAMAGED = 1, // one byte is changed
    OPTION_SYNCED = 2,  // each group says that those before it were durable
};

// A disk on which an engine was started and stopped, and nothing written.
static struct disk *empty_disk(void)
{
    static struct disk *disk;
    struct script_engine engine;
    if (disk == NULL) {
        disk = disk_new(false);
        struct script_options options = {.disk = disk};
        fuzz_require(script_start(&engine, &options) == TAU_STATUS_SUCCESS, engine.error.text);
        script_stop(&engine);
    }
    return disk_copy(disk);
}

// Writes the groups of an input behind the header of a segment. Returns where they end.
static size_t write_groups(uint8_t *segment, size_t capacity, unsigned options,
                           struct tau_slice input)
{
    size_t offset = TAUD_SEGMENT_HEADER_BYTES;
    uint64_t position = 0;
    while (input.size >= 2) {
        size_t size = (size_t)(input.data[0] | input.data[1] << 8);
        size_t left = input.size - 2;
        size = (size < left ? size : left) / TAUD_LOG_ALIGNMENT * TAUD_LOG_ALIGNMENT;
        if (size == 0 || capacity - offset < TAUD_GROUP_HEADER_BYTES + size)
            break;
        uint8_t *content = segment + offset + TAUD_GROUP_HEADER_BYTES;
        memcpy(content, input.data + 2, size);
        struct taud_group_header group = {
            .file_id = FILE_ID,
            .offset = offset,
            .epoch = EPOCH,
            .position = position,
            .synced_position = (options & OPTION_SYNCED) != 0 ? position : 0,
            .size = (uint32_t)size,
            .content_crc = taud_crc32c(0, content, size),
        };
        taud_group_header_encode(segment + offset, &group);
        offset += TAUD_GROUP_HEADER_BYTES + size;
        position += size;
        input.data += 2 + size;
        input.size -= 2 + size;
    }
    return offset;
}

static void write_segment(struct disk *disk, const uint8_t *data, size_t size)
{
    uint64_t capacity;
    uint8_t *segment = disk_file(disk, SEGMENT, &capacity);
    fuzz_require(segment != NULL, "there is no segment to write to");
    struct taud_segment_header header = {
        .sequence = 1, .file_id = FILE_ID, .epoch = EPOCH, .size = capacity};
    memset(segment, 0, capacity);
    taud_segment_header_encode(segment, &header);
    struct tau_slice groups = {.data = data + FUZZ_PREFIX, .size = size - FUZZ_PREFIX};
    size_t end = write_groups(segment, capacity, data[0], groups);
    if ((data[0] & OPTION_DAMAGED) != 0)
        segment[(size_t)(data[1] | data[2] << 8) % end] ^= data[3];
}

static void write_something(struct taud_engine *engine)
{
    struct tau_label label = {.bytes = "written later"};
    uint64_t position = 0;
    enum tau_status status = taud_engine_create_series(engine, &label, &position);
    fuzz_require(status == TAU_STATUS_SUCCESS || status == TAU_STATUS_SERIES_ALREADY_EXISTS,
                 "an engine that started cannot be written to");
    taud_engine_commit(engine, position, TAUD_COMMIT_INLINE);
}

// Starts an engine on a disk that one was started on before, and requires that it holds the same.
static uint64_t start_again(const struct script_options *options, uint64_t expected, bool writes)
{
    struct script_engine engine;
    enum tau_status status = script_start(&engine, options);
    fuzz_require(status == TAU_STATUS_SUCCESS, "a later start fails");
    fuzz_require(script_digest(engine.engine) == expected, "a later start finds something else");
    if (writes)
        write_something(engine.engine);
    expected = script_digest(engine.engine);
    script_stop(&engine);
    return expected;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size < FUZZ_PREFIX)
        return;
    struct disk *disk = empty_disk();
    struct script_options options = {.disk = disk};
    struct script_engine engine;
    write_segment(disk, data, size);
    uint64_t before = disk_digest(disk, "data/log");
    if (script_start(&engine, &options) == TAU_STATUS_SUCCESS) {
        uint64_t digest = script_digest(engine.engine);
        script_stop(&engine);
        digest = start_again(&options, digest, true);
        start_again(&options, digest, false);
    } else {
        fuzz_require(engine.error.text[0] != '\0', "a start is refused without a word");
        fuzz_require(disk_digest(disk, "data/log") == before, "a refused log was touched");
    }
    disk_free(disk);
}
