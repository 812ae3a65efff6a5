// SPDX-License-Identifier: MIT
// Opening, searching, reading and rebuilding a segment of any bytes. A good small segment is
// changed at some places, and its checksums are made good again, so that what is tried are the
// numbers that they cover. Whatever opens may be used in full; a chunk that is read is one that was
// written, unless records got new checksums.
//
// An input: which checksums are made anew, and whether the segment is opened or rebuilt; then
// changes: a place (2 bytes, little-endian, counted from the end of the segment) and what is done
// to the byte there: less than 128 adds a little, mostly 1 more or less, what is above that is put
// in its place.

#include <string.h>

#include "engine/bytes.h"
#include "engine/crc32c.h"
#include "engine/store/segment_format.h"
#include "fuzz.h"

enum {
    SERIES = 5,
    CHUNKS = 4, // of each
    POINTS = 9,
    SEGMENT_MAX = 8192,
    REPAIR_HEAD = 1,
    REPAIR_FOOT = 2,
    REPAIR_INDEX = 4,
    REPAIR_RECORDS = 8,
    REBUILD = 16,
};

static const uint64_t FILE_ID = 77;
static const struct taud_segment_name NAME = {3, 1};

// --- an object in memory
// ----------------------------------------------------------------------

struct taud_object_writer {
    size_t size;
};

struct taud_object {
    const uint8_t *data;
    size_t size;
};

static uint8_t written[SEGMENT_MAX], changed[SEGMENT_MAX];
static size_t written_size, index_offset;
static struct taud_object object = {changed, 0};
static struct taud_object_writer only_writer;

static enum tau_status memory_begin(struct taud_backend *backend, const char *name,
                                    struct taud_object_writer **ret_writer,
                                    struct taud_error *error)
{
    (void)backend, (void)name, (void)error;
    *ret_writer = &only_writer;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status memory_write(struct taud_object_writer *writer, const void *data,
                                    size_t size, struct taud_error *error)
{
    (void)error;
    fuzz_require(size <= SEGMENT_MAX - writer->size, "the segment to start from is too large");
    memcpy(written + writer->size, data, size);
    writer->size += size;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status memory_finish(struct taud_object_writer *writer, struct taud_error *error)
{
    (void)error;
    written_size = writer->size;
    return TAU_STATUS_SUCCESS;
}

static void memory_abandon(struct taud_object_writer *writer)
{
    (void)writer;
}

static enum tau_status memory_open(struct taud_backend *backend, const char *name,
                                   struct taud_object **ret_object, struct taud_error *error)
{
    (void)backend, (void)name, (void)error;
    *ret_object = &object;
    return TAU_STATUS_SUCCESS;
}

static uint64_t memory_size(const struct taud_object *opened)
{
    return opened->size;
}

static enum tau_status memory_read(struct taud_object *opened, void *data, size_t size,
                                   uint64_t offset, struct taud_error *error)
{
    (void)error;
    fuzz_require(offset <= opened->size && size <= opened->size - offset,
                 "something behind the object is read");
    memcpy(data, opened->data + offset, size);
    return TAU_STATUS_SUCCESS;
}

static void memory_forget(struct taud_object *opened, size_t size, uint64_t offset)
{
    (void)opened, (void)size, (void)offset;
}

static void memory_close(struct taud_object *opened)
{
    (void)opened;
}

static const struct taud_objects_operations memory_objects = {
    .begin = memory_begin,
    .write = memory_write,
    .finish = memory_finish,
    .abandon = memory_abandon,
    .open = memory_open,
    .size = memory_size,
    .read = memory_read,
    .forget = memory_forget,
    .close = memory_close,
};

static struct taud_backend backend = {.objects = &memory_objects};
static struct taud_store store = {.backend = &backend};
static struct taud_codec *codec;

// --- the segment that is changed
// --------------------------------------------------------------

static void add_chunk(struct taud_segment_writer *writer, uint64_t identity, int64_t number)
{
    int64_t timestamps[POINTS];
    double values[POINTS];
    uint8_t chunk[TAUD_CHUNK_BYTES_MAX];
    struct taud_chunk_summary summary;
    for (int i = 0; i < POINTS; i++) {
        timestamps[i] = (number * POINTS + i) * 1000;
        values[i] = (double)((identity + (uint64_t)(number * i)) % 50);
    }
    size_t size = taud_chunk_encode(codec, timestamps, values, POINTS, TAUD_EFFORT_FAST, NULL,
                                    chunk, &summary);
    fuzz_require(taud_segment_writer_add(writer, identity, &summary, chunk, size, NULL) ==
                     TAU_STATUS_SUCCESS,
                 "the segment to start from cannot be written");
}

static void prepare(void)
{
    struct taud_segment_facts facts = {.name = NAME, .last_sequence = 4, .file_id = FILE_ID};
    struct taud_segment_writer *writer;
    store.allocator = taud_allocator_system();
    codec = taud_codec_new(store.allocator);
    fuzz_require(codec && taud_segment_writer_new(&store, codec, &facts, &writer, NULL) ==
                              TAU_STATUS_SUCCESS,
                 "no memory");
    for (uint64_t identity = 1; identity <= SERIES; identity++) {
        for (int64_t number = 0; number < CHUNKS; number++)
            add_chunk(writer, identity * 10, number);
    }
    fuzz_require(taud_segment_writer_finish(writer, &facts, NULL) == TAU_STATUS_SUCCESS,
                 "the segment to start from cannot be written");
    index_offset = (size_t)facts.index_offset;
}

static void repair(uint8_t *bytes, size_t size)
{
    taud_store_u32(bytes + size - 4, taud_crc32c(0, bytes, size - 4));
}

// There is one block. The size that it says is believed where it can be.
static void repair_index(void)
{
    uint8_t *block = changed + index_offset, place[16];
    size_t size = written_size - TAUD_SEGMENT_FOOT_BYTES - index_offset;
    size_t own = taud_index_block_size(block, size);
    taud_store_u64(place, ~FILE_ID);
    taud_store_u64(place + 8, 0);
    if (own > 0)
        taud_store_u32(block, taud_crc32c(taud_crc32c(0, place, sizeof place), block + 4, own - 4));
}

static void repair_records(void)
{
    size_t at = TAUD_SEGMENT_HEAD_BYTES;
    struct taud_segment_record record;
    while (at < index_offset &&
           taud_segment_record_look(changed + at, index_offset - at, &record)) {
        uint8_t frame[TAUD_RECORD_FRAME_MAX];
        taud_segment_frame_encode(FILE_ID, at, record.identity, record.chunk, record.chunk_size,
                                  frame);
        memcpy(changed + at, frame, 4);
        at += record.size;
    }
}

static void change(const uint8_t *data, size_t size)
{
    static const uint8_t little[] = {1, 255, 2, 254, 1, 255, 16, 240};
    memcpy(changed, written, written_size);
    object.size = written_size;
    for (size_t at = FUZZ_PREFIX; at + 3 <= size; at += 3) {
        size_t place = (size_t)(data[at] | data[at + 1] << 8) % written_size;
        uint8_t *byte = &changed[written_size - 1 - place], value = data[at + 2];
        *byte = (uint8_t)(value < 128 ? *byte + little[value % 8] : value * 2);
    }
    if (data[0] & REPAIR_INDEX)
        repair_index();
    if (data[0] & REPAIR_RECORDS)
        repair_records();
    if (data[0] & REPAIR_HEAD)
        repair(changed, TAUD_SEGMENT_HEAD_BYTES);
    if (data[0] & REPAIR_FOOT)
        repair(changed + written_size - TAUD_SEGMENT_FOOT_BYTES, TAUD_SEGMENT_FOOT_BYTES);
}

// --- using what opens
// -------------------------------------------------------------------------

static void read_chunk(struct taud_segment *segment, uint64_t identity, uint32_t chunk,
                       bool original)
{
    struct taud_chunk_bytes bytes;
    bool damaged;
    enum tau_status status = taud_segment_read(segment, identity, chunk, &bytes, &damaged, NULL);
    fuzz_require((status == TAU_STATUS_SUCCESS) == !damaged, "a reading fails for another reason");
    if (damaged)
        return;
    uint64_t end = taud_segment_offset(segment, chunk) + segment->sizes[chunk];
    fuzz_require(!original || memcmp(bytes.data, written + end - bytes.size, bytes.size) == 0,
                 "a chunk is read that was never written");
    taud_segment_give_back(&store, &bytes);
}

static void use_series(struct taud_segment *segment, uint32_t series, bool original)
{
    uint64_t identity = segment->identities[series];
    struct taud_chunk_run all = taud_segment_series(segment, series);
    struct taud_chunk_run found = taud_segment_find(segment, identity, INT64_MIN, INT64_MAX);
    fuzz_require(all.count > 0 && found.first == all.first && found.count == all.count,
                 "a series is not found as it is");
    for (uint32_t i = all.first; i < all.first + all.count; i++) {
        int64_t first = segment->first_timestamps[i], last = segment->last_timestamps[i];
        struct taud_chunk_run run = taud_segment_find(segment, identity, first, last);
        fuzz_require(run.first == i && run.count == 1, "a chunk is not found by its times");
        read_chunk(segment, identity, i, original);
    }
}

static void use(struct taud_segment *segment, bool original)
{
    static struct taud_chunk_columns columns;
    uint32_t chunks = 0;
    uint64_t points = 0;
    for (uint32_t block = 0; block < segment->block_count; block++) {
        uint32_t count = taud_segment_summaries(segment, codec, block, &columns);
        for (uint32_t i = 0; i < count; i++)
            points += columns.counts[i];
        chunks += count;
    }
    fuzz_require(chunks == segment->facts.chunk_count && points == segment->facts.point_count,
                 "the index holds more or less than it says");
    for (uint32_t series = 0; series < segment->facts.series_count; series++)
        use_series(segment, series, original);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct taud_segment *segment;
    struct taud_segment_scan scan;
    enum taud_segment_fault fault;
    struct taud_error error = {.text = ""};
    if (!codec)
        prepare();
    if (size < FUZZ_PREFIX)
        return;
    change(data, size);
    bool original = !(data[0] & REPAIR_RECORDS);
    enum tau_status status =
        data[0] & REBUILD
            ? taud_segment_rebuild(&store, codec, NAME, &segment, &scan, &fault, &error)
            : taud_segment_open(&store, codec, NAME, &segment, &fault, &error);
    if (status == TAU_STATUS_SUCCESS) {
        use(segment, original);
        taud_segment_release(segment);
    } else {
        fuzz_require(status == TAU_STATUS_INTERNAL_ERROR && fault != TAUD_SEGMENT_NO_FAULT &&
                         error.text[0] != '\0',
                     "a segment is refused without a reason");
    }
}
