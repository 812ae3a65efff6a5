// SPDX-License-Identifier: MIT
// A merge over chunks whose bytes and summaries were changed, as a disk may give them when all
// checksums are good. Whatever they are, pieces come in their order, no point twice, within what
// was asked for, and what a piece says of itself holds when it is decoded; or the merge ends and
// says why.
//
// An input: how the merge is done, then how far it reaches (a byte each for its ends); then
// changes: a chunk and what of it (its bytes, or one number of its summary), a place, and what is
// done there: less than 128 adds a little, mostly 1 more or less, what is above that is put in its
// place.

#include <string.h>

#include "engine/read/merge.h"
#include "fuzz.h"

enum {
    CHUNKS = 7,
    POINTS = 300, // more than two windows where many units are begun
    CROWD = 20,   // places of one point, so that windows are smaller
    DESCENDING = 1,
    ONLY_COLUMNS = 2,
    DELETED = 4,
    CROWDED = 8,
    LATE = 16,
    CHANGE_BYTES = 4,
};

// Room for a chunk with its bytes behind it.
struct made {
    _Alignas(struct taud_sealed) uint8_t room[sizeof(struct taud_sealed) + TAUD_CHUNK_BYTES_MAX];
};

static struct made originals[CHUNKS], changed[CHUNKS], crowd[CROWD];
static struct taud_codec *codec;

// --- chunks -----------------------------------------------------------------------------------

static struct taud_sealed *chunk_of(struct made *made)
{
    return (struct taud_sealed *)(void *)made->room;
}

static void make(struct made *made, const int64_t *timestamps, const double *values, uint32_t count)
{
    struct taud_sealed *chunk = chunk_of(made);
    chunk->references = 1;
    chunk->size =
        (uint32_t)taud_chunk_encode(codec, timestamps, values, count, TAUD_EFFORT_THOROUGH, NULL,
                                    chunk->bytes, &chunk->summary);
}

// Chunks of every scheme of timestamps, in pairs that overlap and some that do not.
static void prepare(void)
{
    codec = taud_codec_new(taud_allocator_system());
    fuzz_require(codec != NULL, "no memory");
    for (int64_t i = 0; i < CHUNKS; i++) {
        int64_t timestamps[POINTS], next = i / 2 * 4000 + i % 2 * 700;
        double values[POINTS];
        for (int k = 0; k < POINTS; k++) {
            timestamps[k] = next;
            values[k] = (double)((k * 7 + i) % 50) / 4;
            next += i % 3 == 0 ? 10 : i % 3 == 1 ? 5 + k / 100 : 1 + (k * k + (int)i) % 19;
        }
        make(&originals[i], timestamps, values, POINTS);
    }
    for (int64_t i = 0; i < CROWD; i++) {
        int64_t timestamp = i * 3;
        double value = (double)i;
        make(&crowd[i], &timestamp, &value, 1);
    }
}

static void change_number(struct taud_chunk_summary *summary, unsigned which, uint8_t value)
{
    int64_t by = (value < 128 ? (int64_t)(value % 8) - 4 : (int64_t)(value - 128) * 10);
    if (which == 0)
        summary->first_timestamp += by;
    else if (which == 1)
        summary->last_timestamp += by;
    else
        summary->count = (uint32_t)(summary->count + (uint64_t)by);
}

static void change(const uint8_t *data, size_t size)
{
    static const uint8_t little[] = {1, 255, 2, 254, 1, 255, 16, 240};
    memcpy(changed, originals, sizeof changed);
    for (size_t at = FUZZ_PREFIX; at + CHANGE_BYTES <= size; at += CHANGE_BYTES) {
        struct taud_sealed *chunk = chunk_of(&changed[data[at] % CHUNKS]);
        unsigned what = data[at] / CHUNKS % 8;
        if (what > 4) {
            change_number(&chunk->summary, what - 5, data[at + 3]);
            continue;
        }
        size_t place = (size_t)(data[at + 1] | data[at + 2] << 8) % chunk->size;
        uint8_t *byte = &chunk->bytes[place], value = data[at + 3];
        *byte = (uint8_t)(value < 128 ? *byte + little[value % 8] : value * 2);
    }
}

// What the reader of an index sees to.
static bool is_sound(const struct taud_chunk_summary *summary)
{
    return summary->count > 0 && summary->count <= TAUD_CHUNK_POINTS_MAX &&
           summary->first_timestamp <= summary->last_timestamp &&
           summary->last_timestamp - summary->first_timestamp >= summary->count - 1;
}

// --- the merge --------------------------------------------------------------------------------

static struct taud_merge *open_merge(const uint8_t *data, const struct taud_merge_options *options)
{
    struct taud_sealed *all[CHUNKS];
    uint32_t count = 0;
    struct taud_merge *merge = taud_merge_new(options);
    bool done = merge != NULL;
    for (unsigned i = 0; done && (data[0] & CROWDED) && i < CROWD; i++) {
        struct taud_sealed *one = chunk_of(&crowd[i]);
        done = taud_merge_add_sealed(merge, &one, 1, 1);
    }
    for (unsigned i = 0; i < CHUNKS; i++) {
        struct taud_sealed *one = chunk_of(&changed[i]);
        if (!is_sound(&one->summary))
            continue;
        all[count++] = one;
        done = done && ((data[0] & LATE) || taud_merge_add_sealed(merge, &one, 1, i));
    }
    if (data[0] & LATE)
        done = done && taud_merge_add_late(merge, all, count, 3);
    fuzz_require(done, "no memory");
    return merge;
}

struct seen {
    const struct taud_merge_options *options;
    bool any;
    int64_t last;
};

static void check_order(struct seen *seen, int64_t first, int64_t last)
{
    bool descending = seen->options->descending;
    fuzz_require(first >= seen->options->from && last <= seen->options->to && first <= last,
                 "a piece is outside of what was asked for");
    fuzz_require(!seen->any || (descending ? last < seen->last : first > seen->last),
                 "a piece does not follow the one before");
    seen->any = true;
    seen->last = descending ? first : last;
}

static void check_columns(const struct taud_piece *piece, bool descending)
{
    uint32_t end = piece->count - 1;
    for (uint32_t i = 1; i <= end; i++)
        fuzz_require(descending ? piece->timestamps[i] < piece->timestamps[i - 1]
                                : piece->timestamps[i] > piece->timestamps[i - 1],
                     "points of a piece are not in order");
    fuzz_require(piece->timestamps[descending ? end : 0] == piece->first &&
                     piece->timestamps[descending ? 0 : end] == piece->last,
                 "a piece does not reach as far as it says");
}

static void check_ending(enum tau_status status, const struct taud_error *error)
{
    fuzz_require(status == TAU_STATUS_SUCCESS ||
                     (status == TAU_STATUS_INTERNAL_ERROR && error->text[0] != '\0'),
                 "a merge ends without a reason");
}

static void go_through(struct taud_merge *merge, const struct taud_merge_options *options)
{
    struct seen seen = {options, false, 0};
    struct taud_error error = {.text = ""};
    struct taud_piece piece;
    enum tau_status status;
    uint32_t left = CHUNKS * TAUD_CHUNK_POINTS_MAX + CROWD;
    while ((status = taud_merge_next(merge, &piece, &error)) == TAU_STATUS_SUCCESS &&
           piece.count > 0) {
        fuzz_require(piece.count <= left, "there is no end of pieces");
        left -= piece.count;
        check_order(&seen, piece.first, piece.last);
        if (piece.summary) {
            fuzz_require(!options->only_columns, "a piece came whole");
            status =
                taud_merge_decode(merge, &piece, TAUD_PIECE_TIMESTAMPS | TAUD_PIECE_VALUES, &error);
            if (status != TAU_STATUS_SUCCESS)
                break;
        }
        check_columns(&piece, options->descending);
    }
    check_ending(status, &error);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static const struct taud_tombstone deleted[] = {{1, 100, 900, 9}, {1, 4500, 5000, 2}};
    if (!codec)
        prepare();
    if (size < FUZZ_PREFIX)
        return;
    change(data, size);
    struct taud_merge_options options = {
        .allocator = taud_allocator_system(),
        .codec = codec,
        .identity = 1,
        .from = data[1] == 0 ? INT64_MIN : (int64_t)data[1] * 70,
        .to = data[2] == 0 ? INT64_MAX : (int64_t)data[2] * 70,
        .descending = data[0] & DESCENDING,
        .only_columns = data[0] & ONLY_COLUMNS,
        .tombstones = deleted,
        .tombstone_count = data[0] & DELETED ? 2 : 0,
    };
    struct taud_merge *merge = open_merge(data, &options);
    go_through(merge, &options);
    taud_merge_free(merge);
}
