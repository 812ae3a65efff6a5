// SPDX-License-Identifier: MIT
// A manifest in memory and as bytes. As bytes it stands twice in its object, so that one damaged
// page does not lose what everything else is found by. It must not know objects or the root.
#include "manifest.h"

#include "../bytes.h"
#include "../crc32c.h"

#include <string.h>

enum {
    MANIFEST_VERSION = 1,
    HEAD_BYTES = 72,
    SEGMENT_BYTES = 64,
    CATALOG_BYTES = 16,
    TOMBSTONE_BYTES = 32,
    PAGE_BYTES = 4096,
    ENTRIES_MAX = 1 << 26, // of each kind
};

static const char magic[8] = {'T', 'A', 'U', 'M', 'A', 'N', '\r', '\n'};

void taud_manifest_init(struct taud_manifest *manifest, const struct taud_allocator *allocator)
{
    *manifest = (struct taud_manifest){
        .allocator = allocator, .next_sequence = 1, .next_catalog = 1, .next_identity = 1};
}

void taud_manifest_done(struct taud_manifest *manifest)
{
    const struct taud_allocator *allocator = manifest->allocator;
    allocator->release(allocator->context, manifest->segments);
    allocator->release(allocator->context, manifest->catalogs);
    allocator->release(allocator->context, manifest->tombstones);
    taud_manifest_init(manifest, allocator);
}

// --- entries ----------------------------------------------------------------------------------

// Makes room for one entry at `index` of an array.
static bool open_place(const struct taud_allocator *allocator, void **entries, size_t size,
                       uint32_t *count, uint32_t *room, uint32_t index)
{
    if (*count == *room) {
        uint32_t more = *room == 0 ? 8 : *room * 2;
        void *larger =
            more > ENTRIES_MAX ? NULL : allocator->allocate(allocator->context, more * size);
        if (!larger)
            return false;
        if (*count > 0)
            memcpy(larger, *entries, *count * size);
        allocator->release(allocator->context, *entries);
        *entries = larger;
        *room = more;
    }
    uint8_t *place = (uint8_t *)*entries + index * size;
    memmove(place + size, place, (*count - index) * size);
    (*count)++;
    return true;
}

static void close_place(void *entries, size_t size, uint32_t *count, uint32_t index)
{
    uint8_t *place = (uint8_t *)entries + index * size;
    (*count)--;
    memmove(place, place + size, (*count - index) * size);
}

static void raise_above(uint64_t *next, uint64_t used)
{
    if (*next <= used)
        *next = used + 1;
}

bool taud_manifest_add_segment(struct taud_manifest *manifest,
                               const struct taud_manifest_segment *segment)
{
    void *entries = manifest->segments;
    uint32_t index = manifest->segment_count;
    while (index > 0 && manifest->segments[index - 1].name.sequence > segment->name.sequence)
        index--;
    if (!open_place(manifest->allocator, &entries, sizeof *segment, &manifest->segment_count,
                    &manifest->segment_room, index))
        return false;
    manifest->segments = entries;
    manifest->segments[index] = *segment;
    raise_above(&manifest->next_sequence, segment->last_sequence);
    return true;
}

bool taud_manifest_add_catalog(struct taud_manifest *manifest,
                               const struct taud_manifest_catalog *catalog)
{
    void *entries = manifest->catalogs;
    uint32_t index = manifest->catalog_count;
    while (index > 0 && manifest->catalogs[index - 1].number > catalog->number)
        index--;
    if (!open_place(manifest->allocator, &entries, sizeof *catalog, &manifest->catalog_count,
                    &manifest->catalog_room, index))
        return false;
    manifest->catalogs = entries;
    manifest->catalogs[index] = *catalog;
    raise_above(&manifest->next_catalog, catalog->number);
    return true;
}

bool taud_manifest_add_tombstone(struct taud_manifest *manifest,
                                 const struct taud_tombstone *tombstone)
{
    void *entries = manifest->tombstones;
    uint32_t index = manifest->tombstone_count;
    if (!open_place(manifest->allocator, &entries, sizeof *tombstone, &manifest->tombstone_count,
                    &manifest->tombstone_room, index))
        return false;
    manifest->tombstones = entries;
    manifest->tombstones[index] = *tombstone;
    return true;
}

// The place of an entry, or the count where it is not there.
static uint32_t find_segment(const struct taud_manifest *manifest, struct taud_segment_name name)
{
    uint32_t index = 0;
    while (index < manifest->segment_count &&
           !taud_segment_name_equal(manifest->segments[index].name, name))
        index++;
    return index;
}

static uint32_t find_catalog(const struct taud_manifest *manifest, uint64_t number)
{
    uint32_t index = 0;
    while (index < manifest->catalog_count && manifest->catalogs[index].number != number)
        index++;
    return index;
}

void taud_manifest_remove_segment(struct taud_manifest *manifest, struct taud_segment_name name)
{
    uint32_t index = find_segment(manifest, name);
    if (index < manifest->segment_count)
        close_place(manifest->segments, sizeof *manifest->segments, &manifest->segment_count,
                    index);
}

void taud_manifest_remove_catalog(struct taud_manifest *manifest, uint64_t number)
{
    uint32_t index = find_catalog(manifest, number);
    if (index < manifest->catalog_count)
        close_place(manifest->catalogs, sizeof *manifest->catalogs, &manifest->catalog_count,
                    index);
}

void taud_manifest_remove_tombstone(struct taud_manifest *manifest, uint32_t index)
{
    if (index < manifest->tombstone_count)
        close_place(manifest->tombstones, sizeof *manifest->tombstones, &manifest->tombstone_count,
                    index);
}

bool taud_manifest_names_segment(const struct taud_manifest *manifest,
                                 struct taud_segment_name name)
{
    return find_segment(manifest, name) < manifest->segment_count;
}

bool taud_manifest_names_catalog(const struct taud_manifest *manifest, uint64_t number)
{
    return find_catalog(manifest, number) < manifest->catalog_count;
}

// Takes exact room for entries and copies them; NULL stays NULL. Returns false when there is no
// memory.
static bool copy_entries(const struct taud_allocator *allocator, const void *from, uint32_t count,
                         size_t size, void **ret)
{
    *ret = count == 0 ? NULL : allocator->allocate(allocator->context, count * size);
    if (count > 0 && *ret)
        memcpy(*ret, from, count * size);
    return count == 0 || *ret;
}

bool taud_manifest_copy(const struct taud_manifest *manifest, struct taud_manifest *ret)
{
    const struct taud_allocator *allocator = manifest->allocator;
    struct taud_manifest copy = *manifest;
    void *segments = NULL, *catalogs = NULL, *tombstones = NULL;
    bool done = copy_entries(allocator, manifest->segments, manifest->segment_count,
                             sizeof *manifest->segments, &segments) &&
                copy_entries(allocator, manifest->catalogs, manifest->catalog_count,
                             sizeof *manifest->catalogs, &catalogs) &&
                copy_entries(allocator, manifest->tombstones, manifest->tombstone_count,
                             sizeof *manifest->tombstones, &tombstones);
    copy.segments = segments;
    copy.catalogs = catalogs;
    copy.tombstones = tombstones;
    copy.segment_room = copy.segment_count;
    copy.catalog_room = copy.catalog_count;
    copy.tombstone_room = copy.tombstone_count;
    if (done)
        *ret = copy;
    else
        taud_manifest_done(&copy);
    return done;
}

// --- as bytes ---------------------------------------------------------------------------------

// Of one of the two copies: whole pages, so that no page has something of both.
static uint64_t copy_size(uint64_t segments, uint64_t catalogs, uint64_t tombstones)
{
    uint64_t size = HEAD_BYTES + segments * SEGMENT_BYTES + catalogs * CATALOG_BYTES +
                    tombstones * TOMBSTONE_BYTES + 4;
    return (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

size_t taud_manifest_size(const struct taud_manifest *manifest)
{
    return 2 * (size_t)copy_size(manifest->segment_count, manifest->catalog_count,
                                 manifest->tombstone_count);
}

static void encode_head(const struct taud_manifest *manifest, uint8_t *out)
{
    memset(out, 0, HEAD_BYTES);
    memcpy(out, magic, sizeof magic);
    taud_store_u32(out + 8, MANIFEST_VERSION);
    taud_store_u64(out + 16, manifest->number);
    taud_store_u64(out + 24, manifest->flush_position);
    taud_store_u64(out + 32, manifest->next_sequence);
    taud_store_u64(out + 40, manifest->next_catalog);
    taud_store_u64(out + 48, manifest->next_identity);
    taud_store_u32(out + 56, manifest->segment_count);
    taud_store_u32(out + 60, manifest->catalog_count);
    taud_store_u32(out + 64, manifest->tombstone_count);
}

static void encode_segment(const struct taud_manifest_segment *segment, uint8_t *out)
{
    taud_store_u64(out, segment->name.sequence);
    taud_store_u64(out + 8, segment->last_sequence);
    taud_store_u32(out + 16, segment->name.level);
    taud_store_u32(out + 20, 0);
    taud_store_u64(out + 24, segment->size);
    taud_store_u64(out + 32, segment->chunk_count);
    taud_store_u64(out + 40, segment->point_count);
    taud_store_u64(out + 48, (uint64_t)segment->first_timestamp);
    taud_store_u64(out + 56, (uint64_t)segment->last_timestamp);
}

static void encode_tombstone(const struct taud_tombstone *tombstone, uint8_t *out)
{
    taud_store_u64(out, tombstone->identity);
    taud_store_u64(out + 8, (uint64_t)tombstone->from);
    taud_store_u64(out + 16, (uint64_t)tombstone->to);
    taud_store_u64(out + 24, tombstone->sequence);
}

void taud_manifest_encode(const struct taud_manifest *manifest, uint8_t *out)
{
    uint8_t *end = out + HEAD_BYTES;
    encode_head(manifest, out);
    for (uint32_t i = 0; i < manifest->segment_count; i++, end += SEGMENT_BYTES)
        encode_segment(&manifest->segments[i], end);
    for (uint32_t i = 0; i < manifest->catalog_count; i++, end += CATALOG_BYTES) {
        taud_store_u64(end, manifest->catalogs[i].number);
        taud_store_u64(end + 8, manifest->catalogs[i].size);
    }
    for (uint32_t i = 0; i < manifest->tombstone_count; i++, end += TOMBSTONE_BYTES)
        encode_tombstone(&manifest->tombstones[i], end);
    size_t half = taud_manifest_size(manifest) / 2;
    memset(end, 0, half - (size_t)(end - out));
    taud_store_u32(out + half - 4, taud_crc32c(0, out, half - 4));
    memcpy(out + half, out, half);
}

static bool is_intact(const uint8_t *bytes, size_t size)
{
    return size >= HEAD_BYTES + 4 && memcmp(bytes, magic, sizeof magic) == 0 &&
           taud_load_u32(bytes + size - 4) == taud_crc32c(0, bytes, size - 4);
}

void taud_manifest_copies(const uint8_t *bytes, size_t size, bool ret_intact[2])
{
    size_t half = size / 2;
    for (int i = 0; i < 2; i++)
        ret_intact[i] = size % 2 == 0 && is_intact(bytes + (i == 0 ? 0 : half), half);
}

static struct taud_manifest_segment decode_segment(const uint8_t *bytes)
{
    return (struct taud_manifest_segment){
        .name = {taud_load_u64(bytes), taud_load_u32(bytes + 16)},
        .last_sequence = taud_load_u64(bytes + 8),
        .size = taud_load_u64(bytes + 24),
        .chunk_count = taud_load_u64(bytes + 32),
        .point_count = taud_load_u64(bytes + 40),
        .first_timestamp = (int64_t)taud_load_u64(bytes + 48),
        .last_timestamp = (int64_t)taud_load_u64(bytes + 56),
    };
}

// Puts the entries of an intact copy into a manifest that has room for them. Returns where they
// end.
static const uint8_t *decode_entries(const uint8_t *bytes, struct taud_manifest *ret)
{
    const uint8_t *at = bytes + HEAD_BYTES;
    for (uint32_t i = 0; i < ret->segment_count; i++, at += SEGMENT_BYTES)
        ret->segments[i] = decode_segment(at);
    for (uint32_t i = 0; i < ret->catalog_count; i++, at += CATALOG_BYTES)
        ret->catalogs[i] = (struct taud_manifest_catalog){taud_load_u64(at), taud_load_u64(at + 8)};
    for (uint32_t i = 0; i < ret->tombstone_count; i++, at += TOMBSTONE_BYTES)
        ret->tombstones[i] =
            (struct taud_tombstone){taud_load_u64(at), (int64_t)taud_load_u64(at + 8),
                                    (int64_t)taud_load_u64(at + 16), taud_load_u64(at + 24)};
    return at;
}

static bool all_zero(const uint8_t *from, const uint8_t *to)
{
    while (from < to && *from == 0)
        from++;
    return from == to;
}

// Whether it says what can be: entries in order, numbers below those that come next.
static bool is_sound(const struct taud_manifest *manifest)
{
    uint64_t behind = 0; // the last sequence, or number, so far
    for (uint32_t i = 0; i < manifest->segment_count; i++) {
        const struct taud_manifest_segment *segment = &manifest->segments[i];
        if (segment->name.sequence <= behind || segment->last_sequence < segment->name.sequence)
            return false;
        behind = segment->last_sequence;
    }
    if (behind >= manifest->next_sequence)
        return false;
    behind = 0;
    for (uint32_t i = 0; i < manifest->catalog_count; i++) {
        if (manifest->catalogs[i].number <= behind)
            return false;
        behind = manifest->catalogs[i].number;
    }
    for (uint32_t i = 0; i < manifest->tombstone_count; i++) {
        if (manifest->tombstones[i].identity == 0 ||
            manifest->tombstones[i].from > manifest->tombstones[i].to)
            return false;
    }
    return behind < manifest->next_catalog && manifest->number > 0;
}

static bool take_room(struct taud_manifest *manifest)
{
    const struct taud_allocator *allocator = manifest->allocator;
    manifest->segment_room = manifest->segment_count + 1;
    manifest->catalog_room = manifest->catalog_count + 1;
    manifest->tombstone_room = manifest->tombstone_count + 1;
    manifest->segments = allocator->allocate(allocator->context,
                                             manifest->segment_room * sizeof *manifest->segments);
    manifest->catalogs = allocator->allocate(allocator->context,
                                             manifest->catalog_room * sizeof *manifest->catalogs);
    manifest->tombstones = allocator->allocate(
        allocator->context, manifest->tombstone_room * sizeof *manifest->tombstones);
    return manifest->segments && manifest->catalogs && manifest->tombstones;
}

enum tau_status taud_manifest_decode(const uint8_t *bytes, size_t size, struct taud_manifest *ret,
                                     enum taud_manifest_fault *ret_fault)
{
    size_t half = size / 2;
    bool intact[2];
    taud_manifest_copies(bytes, size, intact);
    const uint8_t *copy = intact[0] ? bytes : intact[1] ? bytes + half : NULL;
    *ret_fault = TAUD_MANIFEST_DAMAGED;
    if (!copy)
        return TAU_STATUS_INTERNAL_ERROR;
    if (taud_load_u32(copy + 8) > MANIFEST_VERSION) {
        *ret_fault = TAUD_MANIFEST_FUTURE;
        return TAU_STATUS_INTERNAL_ERROR;
    }
    struct taud_manifest manifest;
    taud_manifest_init(&manifest, ret->allocator);
    manifest.number = taud_load_u64(copy + 16);
    manifest.flush_position = taud_load_u64(copy + 24);
    manifest.next_sequence = taud_load_u64(copy + 32);
    manifest.next_catalog = taud_load_u64(copy + 40);
    manifest.next_identity = taud_load_u64(copy + 48);
    manifest.segment_count = taud_load_u32(copy + 56);
    manifest.catalog_count = taud_load_u32(copy + 60);
    manifest.tombstone_count = taud_load_u32(copy + 64);
    if (taud_load_u32(copy + 8) != MANIFEST_VERSION ||
        copy_size(manifest.segment_count, manifest.catalog_count, manifest.tombstone_count) != half)
        return TAU_STATUS_INTERNAL_ERROR;
    bool room = take_room(&manifest);
    bool sound =
        room && all_zero(decode_entries(copy, &manifest), copy + half - 4) && is_sound(&manifest);
    if (!sound) {
        taud_manifest_done(&manifest);
        *ret_fault = room ? TAUD_MANIFEST_DAMAGED : TAUD_MANIFEST_NO_FAULT;
        return room ? TAU_STATUS_INTERNAL_ERROR : TAU_STATUS_NO_MEMORY;
    }
    *ret = manifest;
    *ret_fault = TAUD_MANIFEST_NO_FAULT;
    return TAU_STATUS_SUCCESS;
}
