// SPDX-License-Identifier: MIT
// What the server makes of a small segment or log with one bit flipped, for each bit of what is
// used of it, on a disk in memory. To standard output, as numbers of 64 bits: how many files, of
// each its number, its size and its bytes; then for each bit the file, the bit, and what was found;
// ends with a file that there is not. Of a log a second bit may be flipped too. "log" is one from
// its beginning; "trimmed" is one that was trimmed, so that its last segment is used for the second
// time.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include <stdio.h>
#include <string.h>

static void put(const void *data, size_t size)
{
    if (fwrite(data, 1, size, stdout) != size)
        exit(1);
}

static void put_number(uint64_t number)
{
    put(&number, sizeof number);
}

static void put_file(uint64_t number, const uint8_t *bytes, uint64_t size)
{
    put_number(number);
    put_number(size);
    put(bytes, (size_t)size);
}

// --- a segment -----------------------------------------------------------------------------------

static const struct store_shape shape = {{7, 1}, .series = 2, .chunks = 2, .points = 3};
static struct store_rig store_rig;

enum verdict { OPENED, REBUILT, REFUSED };

// Opens the segment as a server does, and reads every chunk.
static enum verdict judge_segment(uint32_t *ret_good)
{
    struct taud_segment *segment;
    struct taud_segment_scan scan;
    enum taud_segment_fault fault;
    struct taud_error *error = &store_rig.local.error;
    *ret_good = 0;
    enum verdict verdict = OPENED;
    enum tau_status status =
        taud_segment_open(&store_rig.store, store_rig.codec, shape.name, &segment, &fault, error);
    if (status != TAU_STATUS_SUCCESS && fault == TAUD_SEGMENT_DAMAGED_INDEX) {
        verdict = REBUILT;
        status = taud_segment_rebuild(&store_rig.store, store_rig.codec, shape.name, &segment,
                                      &scan, &fault, error);
    }
    if (status != TAU_STATUS_SUCCESS)
        return REFUSED;
    *ret_good = store_rig_count_good(&store_rig, segment, shape);
    taud_segment_release(segment);
    return verdict;
}

static void judge_segments(void)
{
    uint64_t size;
    store_rig_init(&store_rig);
    store_rig_write(&store_rig, shape);
    uint8_t *bytes = store_rig_bytes(&store_rig, shape.name, &size);
    put_number(1);
    put_file(shape.name.sequence, bytes, size);
    for (uint64_t bit = 0; bit < size * 8; bit++) {
        uint32_t good;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum verdict verdict = judge_segment(&good);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const uint64_t found[4] = {0, bit, (uint64_t)verdict, good};
        put(found, sizeof found);
    }
    store_rig_done(&store_rig);
}

// --- a log of two segments -----------------------------------------------------------------------

enum { GROUPS = 7, BIG = 4, HEADER = 56, COPY = 64, BLOCK = 4096, START = 8192, FILES = 2 };
enum { FILLERS = 48, FILLER = 456 }; // they fill a segment

// The fifth leaves no room for another one in the first segment.
static const size_t sizes[GROUPS] = {16, 8, 24, 8, 24176, 24, 8};
static struct local_rig rig;
static char names[FILES][40];
static uint8_t files[FILES][LOCAL_RIG_SEGMENT_BYTES];
static uint64_t base; // position of the first group

// Of the group with this number.
static uint64_t position_of(size_t number)
{
    uint64_t position = base;
    for (size_t i = 0; i < number; i++)
        position += sizes[i];
    return position;
}

struct found {
    uint64_t groups; // a bit for each that was read
    uint64_t quarantined, end, cut;
};

static enum tau_status take_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    struct found *found = user_data;
    (void)damaged_before;
    for (size_t i = 0; i < GROUPS; i++) {
        if (group->position == position_of(i) && group->size == sizes[i])
            found->groups |= UINT64_C(1) << i;
    }
    return TAU_STATUS_SUCCESS;
}

static struct found read_log(uint64_t from_position, uint64_t known_position)
{
    struct found found = {0};
    struct taud_log_report report;
    assert_int_equal(rig.backend->log->open(rig.backend, from_position, known_position, take_group,
                                            &found, &report, &rig.error),
                     TAU_STATUS_SUCCESS);
    found.quarantined = report.quarantined_count;
    found.end = report.end_position;
    found.cut = report.cut_bytes;
    return found;
}

static void take_answer(enum tau_status status, int os_error, void *user_data)
{
    (void)os_error;
    *(enum tau_status *)user_data = status;
}

static void append(uint64_t position, size_t size)
{
    static uint8_t content[LOCAL_RIG_SEGMENT_BYTES];
    const struct taud_log_operations *log = rig.backend->log;
    struct taud_log_group group = {position, content, size};
    struct taud_log_place *place;
    enum tau_status status = TAU_STATUS_INTERNAL_ERROR;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 37 + i / 256);
    if (log->needs_prepare(rig.backend))
        assert_int_equal(log->prepare(rig.backend), TAU_STATUS_SUCCESS);
    assert_int_equal(log->place(rig.backend, &group, 1, true, true, &place), 1);
    log->append(rig.backend, place, &group, 1, true, take_answer, &status);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
}

// Returns the number of the first segment that is left.
static uint64_t write_log(bool trimmed)
{
    local_rig_init(&rig, false);
    local_rig_open(&rig);
    read_log(0, 0);
    assert_int_equal(rig.backend->log->start(rig.backend, 1, &rig.error), TAU_STATUS_SUCCESS);
    for (; trimmed && base < FILLERS * FILLER; base += FILLER)
        append(base, FILLER);
    for (size_t i = 0; i < GROUPS; i++) {
        append(position_of(i), sizes[i]);
        if (i == 0) // a segment that is given up is used again for the one that comes next
            assert_int_equal(rig.backend->log->trim(rig.backend, base, &rig.error),
                             TAU_STATUS_SUCCESS);
    }
    return trimmed ? 2 : 1;
}

static void keep_files(uint64_t first)
{
    put_number(FILES);
    for (size_t i = 0; i < FILES; i++) {
        uint64_t size;
        snprintf(names[i], sizeof names[i], "log/%016llx.log", (unsigned long long)(first + i));
        const uint8_t *bytes = local_rig_file(&rig, names[i], &size);
        assert_non_null(bytes);
        assert_int_equal(size, sizeof files[i]);
        memcpy(files[i], bytes, sizeof files[i]);
        put_file(first + i, bytes, size);
    }
    local_rig_done(&rig);
}

static void judge_log(size_t file, const uint64_t bits[2], uint64_t from_position,
                      uint64_t known_position)
{
    local_rig_init(&rig, false);
    local_rig_open(&rig);
    for (size_t i = 0; i < FILES; i++)
        local_rig_put(&rig, names[i], files[i], sizeof files[i]);
    struct found found = read_log(from_position, known_position);
    local_rig_done(&rig);
    const uint64_t line[9] = {
        file,         bits[0],           bits[1],   from_position, known_position,
        found.groups, found.quarantined, found.end, found.cut};
    put(line, sizeof line);
}

static void flip(size_t file, const uint64_t bits[2])
{
    for (int i = 0; i < (bits[0] == bits[1] ? 1 : 2); i++)
        files[file][bits[i] / 8] ^= (uint8_t)(1 << bits[i] % 8);
}

// When the log may end anywhere; and when it is known how far it was durable, or when some of it is
// stored elsewhere, up to a place in a segment or behind one.
static void judge_bits(size_t file, uint64_t bit, uint64_t other)
{
    const uint64_t bits[2] = {bit, other};
    flip(file, bits);
    judge_log(file, bits, base, 0);
    if (bit % 64 == 5)
        judge_log(file, bits, 0, 0); // what was trimmed is missing
    if (bit % 6 == 0)
        judge_log(file, bits, base, position_of(GROUPS));
    if (bit % 6 == 1)
        judge_log(file, bits, position_of(2) + 8, 0);
    if (bit % 6 == 2)
        judge_log(file, bits, position_of(BIG + 1), 0);
    if (bit % 6 == 3)
        judge_log(file, bits, position_of(BIG + 2), 0);
    flip(file, bits);
}

static void judge_bit(size_t file, uint64_t bit)
{
    judge_bits(file, bit, bit);
}

static void judge_bytes(size_t file, uint64_t from, uint64_t size)
{
    for (uint64_t bit = from * 8; bit < (from + size) * 8; bit++)
        judge_bit(file, bit);
}

static void judge_logs(bool trimmed)
{
    keep_files(write_log(trimmed));
    for (size_t file = trimmed ? 1 : 0; file < FILES; file++) { // the first is like another one
        uint64_t used = 0;
        for (size_t i = file == 0 ? 0 : BIG + 1; i < (file == 0 ? (size_t)BIG : GROUPS); i++)
            used += HEADER + sizes[i];
        judge_bytes(file, 0, COPY);
        judge_bytes(file, BLOCK, COPY);
        judge_bytes(file, START, used + HEADER); // of the big one the header
        for (uint64_t bit = 0; bit < (uint64_t)COPY * 8; bit++)
            judge_bits(file, bit, (uint64_t)BLOCK * 8 + bit);
    }
    uint64_t end = (uint64_t)LOCAL_RIG_SEGMENT_BYTES * 8;
    for (uint64_t bit = (START + 500) * 8; bit < end; bit += 1009)
        judge_bit(trimmed ? 1 : 0, bit);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    bool trimmed = strcmp(kind, "trimmed") == 0;
    if (trimmed || strcmp(kind, "log") == 0)
        judge_logs(trimmed);
    else
        judge_segments();
    put_number(UINT64_MAX);
    return fflush(stdout) != 0;
}
