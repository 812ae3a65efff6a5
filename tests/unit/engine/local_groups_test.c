// SPDX-License-Identifier: MIT
// One segment of the log read group by group: those that follow are found, what does not belong
// there is passed over, and where what was written ends is told by headers, or by what is not zero.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay_rig.h"

#include "engine/local_groups.h"

static struct taud_found_segment segment; // that is read

static void begin(struct taud_group_reader *reader, struct local_rig *rig,
                  struct replay_image *image)
{
    segment = (struct taud_found_segment){.sequence = image->header.sequence,
                                          .kind = TAUD_HEADER_GOOD,
                                          .header = image->header,
                                          .size = image->header.size};
    replay_store(rig, image);
    assert_int_equal(taud_groups_init(reader, rig->local), 0);
    assert_int_equal(taud_groups_open(reader, &segment), 0);
}

static void end(struct taud_group_reader *reader)
{
    assert_int_equal(reader->io_status, 0);
    taud_groups_close(reader);
    taud_groups_done(reader);
}

// Takes the group that follows, which must be there. Returns its position.
static uint64_t take(struct taud_group_reader *reader, uint64_t *offset)
{
    struct taud_group_header header;
    const uint8_t *content;
    assert_true(taud_groups_next(reader, offset, &header, &content));
    assert_int_equal(header.offset, *offset);
    const uint8_t *again =
        taud_groups_look(reader, *offset + REPLAY_HEADER, header.size); // it is in the window
    assert_ptr_equal(content, again);
    *offset += REPLAY_HEADER + header.size;
    reader->expected = header.position + header.size;
    return header.position;
}

static void expect_none(struct taud_group_reader *reader, uint64_t offset)
{
    struct taud_group_header header;
    const uint8_t *content;
    assert_false(taud_groups_next(reader, &offset, &header, &content));
}

static void groups_follow_one_another(void **state)
{
    struct taud_group_reader reader;
    struct replay_image image = replay_segment(1, 100, 4 * TAUD_IO_BLOCK);
    uint64_t offset = REPLAY_FIRST;
    replay_add_group(&image, 40, 0);
    replay_add_group(&image, 48, 0);
    begin(&reader, *state, &image);
    assert_int_equal(take(&reader, &offset), 100);
    assert_int_equal(take(&reader, &offset), 140);
    expect_none(&reader, offset);
    reader.expected = 141; // the first is too early by then, the second too
    expect_none(&reader, REPLAY_FIRST);
    end(&reader);
}

static void a_group_at_the_next_block_has_to_be_the_one_that_follows(void **state)
{
    for (int gap = 0; gap < 2; gap++) {
        struct taud_group_reader reader;
        struct replay_image image = replay_segment(1, 0, 6 * TAUD_IO_BLOCK);
        uint64_t offset = REPLAY_FIRST;
        replay_add_group(&image, 80, 0);
        image.offset = taud_local_next_block(image.offset);
        image.position += gap ? 8 : 0;
        uint64_t block = image.offset;
        replay_add_group(&image, 160, 0);
        begin(&reader, *state, &image);
        assert_int_equal(take(&reader, &offset), 0);
        if (gap)
            expect_none(&reader, offset);
        else
            assert_int_equal(take(&reader, &offset), 80);
        assert_int_equal(offset,
                         gap ? REPLAY_FIRST + REPLAY_HEADER + 80 : block + REPLAY_HEADER + 160);
        end(&reader);
    }
}

// The one behind it is found, where anybody looks for it.
static void what_does_not_belong_there_is_passed_over(void **state)
{
    for (int which = 0; which < 5; which++) {
        struct taud_group_reader reader;
        struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
        struct taud_group_header header = replay_next_group(&image, 48, 0), found;
        uint64_t at = 0, behind = REPLAY_FIRST + REPLAY_HEADER + 48;
        header.file_id ^= which == 0;        // of an earlier use of the file
        header.offset += which == 1 ? 8 : 0; // swapped
        header.epoch -= which == 2;          // of a server that was replaced
        replay_write_group(&image, header);
        image.bytes[behind - 1] ^= which == 3; // torn
        replay_add_group(&image, 56, 0);
        begin(&reader, *state, &image);
        reader.least_epoch = image.header.epoch;
        reader.expected = which == 4 ? 8 : 0; // it was read already
        expect_none(&reader, REPLAY_FIRST);
        assert_true(taud_groups_find(&reader, REPLAY_FIRST, &at, &found));
        assert_int_equal(at, behind);
        assert_int_equal(found.position, 48);
        assert_false(taud_groups_find(&reader, behind + 8, &at, &found));
        end(&reader);
    }
}

static void the_largest_groups_are_read_through_the_window(void **state)
{
    const uint32_t most = TAUD_LOG_GROUP_BYTES_MAX;
    struct taud_group_reader reader;
    struct replay_image image =
        replay_segment(1, 0, REPLAY_FIRST + 2 * (uint64_t)most + 17 * TAUD_IO_BLOCK);
    uint64_t offset = REPLAY_FIRST, position = 0;
    const uint32_t sizes[] = {(64 << 10) - 104, most, 8, most, 16}; // 8 bytes behind the window
    for (size_t i = 0; i < 5; i++)
        replay_add_group(&image, sizes[i], 0);
    begin(&reader, *state, &image);
    for (size_t i = 0; i < 5; position += sizes[i++])
        assert_int_equal(take(&reader, &offset), position);
    expect_none(&reader, offset);
    assert_non_null(taud_groups_look(&reader, segment.size - 8, 8));
    assert_null(taud_groups_look(&reader, segment.size - 7, 8));
    assert_null(taud_groups_look(&reader, segment.size + 8, 1));
    end(&reader);
}

// --- ends -------------------------------------------------------------------------------------

static void the_end_is_behind_the_last_header_or_byte(void **state)
{
    const uint64_t size = 4 * TAUD_IO_BLOCK - 3, first = REPLAY_FIRST + REPLAY_HEADER + 40;
    for (int torn = 0; torn < 2; torn++) {
        struct taud_group_reader reader;
        struct replay_image image = replay_segment(1, 0, size);
        replay_add_group(&image, 40, 0);
        replay_add_group(&image, 48, 0);
        uint64_t second = image.offset;
        image.bytes[second - 48] ^= torn != 0; // of its content: the header is good
        image.bytes[size - 1] = 7;             // of an earlier use
        begin(&reader, *state, &image);
        assert_int_equal(taud_groups_written_end(&reader, REPLAY_FIRST), second);
        assert_int_equal(taud_groups_written_end(&reader, first), second);
        assert_int_equal(taud_groups_written_end(&reader, second), second);
        assert_int_equal(taud_groups_used_end(&reader, REPLAY_FIRST), size);
        end(&reader);
    }
}

static void zeros_are_no_use(void **state)
{
    struct taud_group_reader reader;
    struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
    image.bytes[REPLAY_FIRST + 100] = 1;
    begin(&reader, *state, &image);
    assert_int_equal(taud_groups_used_end(&reader, REPLAY_FIRST), REPLAY_FIRST + 101);
    assert_int_equal(taud_groups_used_end(&reader, REPLAY_FIRST + 104), REPLAY_FIRST + 104);
    assert_int_equal(taud_groups_written_end(&reader, REPLAY_FIRST), REPLAY_FIRST);
    end(&reader);
}

// A header that is whole may say of more than the file has room for.
static void the_end_is_within_the_file(void **state)
{
    struct taud_group_reader reader;
    struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
    struct taud_group_header header = replay_next_group(&image, TAUD_IO_BLOCK * 4, 0);
    taud_group_header_encode(image.bytes + REPLAY_FIRST, &header);
    begin(&reader, *state, &image);
    expect_none(&reader, REPLAY_FIRST);
    assert_int_equal(taud_groups_written_end(&reader, REPLAY_FIRST), segment.size);
    end(&reader);
}

// --- what fails -------------------------------------------------------------------------------

static void a_read_that_fails_ends_it(void **state)
{
    struct local_rig *rig = *state;
    struct taud_group_reader reader;
    struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
    replay_add_group(&image, 40, 0);
    begin(&reader, rig, &image);
    disk_set_fault(rig->disk, (struct disk_fault){.kind = DISK_FAULT_ERROR, .at = 1, .error = EIO});
    expect_none(&reader, REPLAY_FIRST);
    assert_int_equal(reader.io_status, -EIO);
    expect_none(&reader, REPLAY_FIRST); // though the disk would give it now
    taud_groups_close(&reader);
    taud_groups_done(&reader);
}

static void without_a_file_or_memory_it_says_so(void **state)
{
    struct local_rig *rig = *state;
    struct taud_group_reader reader;
    segment = (struct taud_found_segment){.sequence = 7};
    assert_int_equal(taud_groups_init(&reader, rig->local), 0);
    assert_int_equal(taud_groups_open(&reader, &segment), -ENOENT);
    taud_groups_done(&reader);
    failing_allocator_fail_next(&rig->memory, 1);
    assert_int_equal(taud_groups_init(&reader, rig->local), -ENOMEM);
    taud_groups_done(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPLAY_TEST(groups_follow_one_another),
        REPLAY_TEST(a_group_at_the_next_block_has_to_be_the_one_that_follows),
        REPLAY_TEST(what_does_not_belong_there_is_passed_over),
        REPLAY_TEST(the_largest_groups_are_read_through_the_window),
        REPLAY_TEST(the_end_is_behind_the_last_header_or_byte),
        REPLAY_TEST(zeros_are_no_use),
        REPLAY_TEST(the_end_is_within_the_file),
        REPLAY_TEST(a_read_that_fails_ends_it),
        REPLAY_TEST(without_a_file_or_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
