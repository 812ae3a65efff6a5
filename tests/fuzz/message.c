// SPDX-License-Identifier: MIT
// See message.h. A payload is split into its fields, and put together again field by field: each is
// either copied or drawn, and a count that is drawn resizes the arrays that it counts.
#include "message.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { FIELDS_MAX = 32, SMALL_COUNT = 6 };

// A payload that is being read or written.
struct message {
    const struct tau_payload_info *payload;
    struct dice *dice;
    uint8_t *out;
    size_t size;
    size_t capacity;
    bool full;                   // something did not fit
    uint64_t counts[FIELDS_MAX]; // of the fields that count arrays
};

struct part {
    size_t offset;
    size_t size;
};

// --- values --------------------------------------------------------------------------------------

static uint64_t load(const uint8_t *from, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | from[i];
    return number;
}

static void store(uint8_t *to, size_t size, uint64_t number)
{
    for (size_t i = size; i-- > 0; number >>= 8)
        to[i] = (uint8_t)number;
}

// Numbers at which decoders and tables trip, and small ones, by which requests meet.
static uint64_t draw_integer(struct dice *dice, size_t size)
{
    uint64_t top = size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
    switch (dice_below(dice, 8)) {
    case 0:
        return 0;
    case 1:
        return top - dice_below(dice, 2);
    case 2:
        return top / 2 + dice_below(dice, 3) - 1; // around the greatest that has a sign
    case 3:
        return (UINT64_C(1) << dice_below(dice, size * 8)) & top;
    case 4:
        return dice_next(dice) & top;
    default:
        return dice_below(dice, 16);
    }
}

static uint64_t draw_float(struct dice *dice)
{
    static const uint64_t bits[] = {
        0,
        0x8000000000000000, // -0
        0x3FF0000000000000, // 1
        0x0000000000000001, // the least
        0x7FEFFFFFFFFFFFFF, // the greatest
        0x7FF0000000000000, // infinities
        0xFFF0000000000000,
        0x7FF8000000000000, // NaNs, quiet, with a payload, signalling
        0xFFF8DEADBEEF0001,
        0x7FF0000000000001,
    };
    size_t count = sizeof bits / sizeof bits[0];
    size_t at = dice_below(dice, count + 2);
    return at < count ? bits[at] : dice_next(dice);
}

// One that has a name, and seldom one that has none.
static uint64_t draw_named(struct dice *dice, const struct tau_type_info *type)
{
    int known[256];
    size_t count = 0;
    for (int value = 0; value < 256; value++)
        if (strcmp(type->value_name(value), "unknown") != 0)
            known[count++] = value;
    if (count == 0 || dice_once_in(dice, 8))
        return dice_next(dice);
    return (uint64_t)known[dice_below(dice, count)];
}

// Words for types of raw bytes, ended by NULL; few, so that requests meet.
struct words {
    const char *type;
    const char *words[8];
};

static const struct words *words_of(const struct tau_type_info *type)
{
    static const struct words known[] = {
        {"certificate", {FUZZ_CERTIFICATE}},
        {"transform_name", {"identity", "celsius_to_fahrenheit", "returns", "log_return"}},
        {"", {"a", "a", "a", "b", "b", "ab", ""}}, // labels and whatever else there is
    };
    const struct words *found = known;
    while (found->type[0] != '\0' && strcmp(found->type, type->name) != 0)
        found++;
    return found;
}

// Raw bytes: mostly a word, zeros behind it; seldom anything.
static void draw_bytes(struct dice *dice, const struct tau_type_info *type, uint8_t *to)
{
    const struct words *known = words_of(type);
    size_t size = type->wire_size, count = 0;
    while (known->words[count] != NULL)
        count++;
    memset(to, dice_once_in(dice, 16) ? 0xFF : 0, size);
    if (!dice_once_in(dice, 8)) {
        const char *word = known->words[dice_below(dice, count)];
        memcpy(to, word, strlen(word) < size ? strlen(word) : size);
    } else if (dice_once_in(dice, 2)) {
        for (size_t i = 0; i < size; i++)
            to[i] = (uint8_t)dice_next(dice);
    }
}

static void draw_value(struct dice *dice, const struct tau_type_info *type, uint8_t *to)
{
    switch (type->kind) {
    case TAU_TYPE_STRUCT:
        for (size_t i = 0; i < type->member_count; i++)
            draw_value(dice, type->members[i].type, to + type->members[i].wire_offset);
        break;
    case TAU_TYPE_FLOAT:
        store(to, type->wire_size, draw_float(dice));
        break;
    case TAU_TYPE_BOOL:
        to[0] = (uint8_t)dice_below(dice, dice_once_in(dice, 8) ? 256 : 2);
        break;
    case TAU_TYPE_STATUS:
    case TAU_TYPE_ENUM:
        store(to, type->wire_size, draw_named(dice, type));
        break;
    case TAU_TYPE_BYTES:
        draw_bytes(dice, type, to);
        break;
    default:
        store(to, type->wire_size, draw_integer(dice, type->wire_size));
    }
}

// --- splitting -----------------------------------------------------------------------------------

static bool counts_arrays(const struct tau_payload_info *payload, size_t number)
{
    for (size_t i = 0; i < payload->field_count; i++)
        if (payload->fields[i].count_field == number)
            return true;
    return false;
}

// How many bytes a field has that begins at `at`, of which `left` are there; SIZE_MAX where its own
// words say more.
static size_t field_size(const struct message *m, size_t number, const uint8_t *at, size_t left)
{
    const struct tau_field_info *field = &m->payload->fields[number];
    size_t size = field->type->wire_size;
    switch (field->shape) {
    case TAU_SHAPE_OPTIONAL:
        size = left > 0 && at[0] == 1 ? 1 + size : 1;
        break;
    case TAU_SHAPE_SIZED:
        if (left < field->prefix_size)
            return SIZE_MAX;
        size = field->prefix_size + (size_t)load(at, field->prefix_size);
        break;
    case TAU_SHAPE_COUNTED_ARRAY:
        if (m->counts[field->count_field] > left)
            return SIZE_MAX;
        size *= (size_t)m->counts[field->count_field];
        break;
    case TAU_SHAPE_REST:
    case TAU_SHAPE_REST_ARRAY:
        size = left;
        break;
    case TAU_SHAPE_FIXED:
        break;
    }
    return size <= left ? size : SIZE_MAX;
}

// Finds the fields. Returns false where the bytes end within one; those of a feature may be
// missing.
static bool split(struct message *m, const uint8_t *data, size_t size,
                  struct part parts[FIELDS_MAX])
{
    size_t at = 0;
    for (size_t i = 0; i < m->payload->field_count; i++) {
        parts[i] = (struct part){.offset = at, .size = 0};
        if (at == size && m->payload->fields[i].needs_feature)
            continue;
        parts[i].size = field_size(m, i, data + at, size - at);
        if (parts[i].size == SIZE_MAX)
            return false;
        if (counts_arrays(m->payload, i))
            m->counts[i] = load(data + at, parts[i].size);
        at += parts[i].size;
    }
    return true;
}

// --- writing -------------------------------------------------------------------------------------

static uint8_t *room(struct message *m, size_t size)
{
    if (m->capacity - m->size < size) {
        m->full = true;
        return NULL;
    }
    uint8_t *at = m->out + m->size;
    m->size += size;
    return at;
}

static void copy(struct message *m, const uint8_t *from, size_t size)
{
    uint8_t *to = room(m, size);
    if (to != NULL && size > 0)
        memcpy(to, from, size);
}

// How many elements a field shall count: few, or as many as fit, or as many as are allowed at all;
// seldom fewer than are needed.
static uint64_t draw_count(struct message *m, size_t number)
{
    size_t element = 0, least = 0;
    for (size_t i = 0; i < m->payload->field_count; i++) {
        if (m->payload->fields[i].count_field == number) {
            element += m->payload->fields[i].type->wire_size;
            least = m->payload->fields[i].min_count;
        }
    }
    size_t most = element == 0 ? 0 : (m->capacity - m->size) / element;
    if (most > 0 && dice_once_in(m->dice, 16))
        return 1 + dice_below(m->dice, most);
    uint64_t count = dice_below(m->dice, SMALL_COUNT);
    if (count < least && !dice_once_in(m->dice, 8))
        count = least;
    return count < most ? count : most;
}

static void write_elements(struct message *m, const struct tau_type_info *type, uint64_t count)
{
    for (uint64_t i = 0; i < count && !m->full; i++) {
        uint8_t *to = room(m, type->wire_size);
        if (to != NULL)
            draw_value(m->dice, type, to);
    }
}

static size_t draw_length(struct message *m, const struct tau_field_info *field)
{
    size_t length = dice_below(m->dice, 24);
    if (field->max_count > 0 && dice_once_in(m->dice, 6))
        length = field->max_count - dice_below(m->dice, 2);
    size_t left = m->capacity - m->size;
    return length + field->prefix_size <= left ? length : 0;
}

// Bytes of a slice; of a text mostly what UTF-8 allows.
static void write_slice(struct message *m, const struct tau_field_info *field)
{
    static const char *const pieces[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9d\x84\x9e", "\0"};
    static const size_t sizes[] = {1, 2, 3, 4, 1};
    size_t length = draw_length(m, field);
    uint8_t *prefix = room(m, field->prefix_size);
    uint8_t *to = prefix != NULL ? room(m, length) : NULL;
    if (to == NULL)
        return;
    store(prefix, field->prefix_size, length);
    bool noise = field->type->kind != TAU_TYPE_TEXT || dice_once_in(m->dice, 8);
    for (size_t i = 0; i < length;) {
        size_t piece = dice_below(m->dice, 5);
        size_t size = sizes[piece];
        if (noise || size > length - i) {
            to[i++] = noise ? (uint8_t)dice_next(m->dice) : 'y';
            continue;
        }
        memcpy(to + i, pieces[piece], size);
        i += size;
    }
}

static void write_field(struct message *m, size_t number)
{
    const struct tau_field_info *field = &m->payload->fields[number];
    const struct tau_type_info *type = field->type;
    uint8_t *to;
    switch (field->shape) {
    case TAU_SHAPE_FIXED:
        if ((to = room(m, type->wire_size)) == NULL)
            return;
        if (counts_arrays(m->payload, number)) {
            m->counts[number] = draw_count(m, number);
            store(to, type->wire_size, m->counts[number]);
        } else {
            draw_value(m->dice, type, to);
        }
        break;
    case TAU_SHAPE_OPTIONAL:
        if ((to = room(m, 1)) == NULL)
            return;
        to[0] = (uint8_t)dice_below(m->dice, 2);
        write_elements(m, type, to[0]);
        break;
    case TAU_SHAPE_SIZED:
    case TAU_SHAPE_REST:
        write_slice(m, field);
        break;
    case TAU_SHAPE_COUNTED_ARRAY:
        write_elements(m, type, m->counts[field->count_field]);
        break;
    case TAU_SHAPE_REST_ARRAY:
        write_elements(m, type, dice_below(m->dice, SMALL_COUNT));
        break;
    }
}

size_t message_make(const struct tau_payload_info *payload, struct dice *dice, uint8_t *out,
                    size_t capacity)
{
    struct message m = {.payload = payload, .dice = dice, .out = out, .capacity = capacity};
    bool features = dice_once_in(dice, 2);
    for (size_t i = 0; i < payload->field_count && !m.full; i++)
        if (features || !payload->fields[i].needs_feature)
            write_field(&m, i);
    return m.full ? 0 : m.size;
}

// --- changing ------------------------------------------------------------------------------------

// Writes an array anew: as many elements as are counted now, the old ones first, one of them
// changed where that is what was chosen.
static void rewrite_array(struct message *m, size_t number, const uint8_t *old, size_t old_size,
                          bool chosen)
{
    const struct tau_field_info *field = &m->payload->fields[number];
    size_t element = field->type->wire_size;
    size_t wanted = (size_t)m->counts[field->count_field] * element;
    size_t kept = old_size < wanted ? old_size : wanted;
    size_t start = m->size;
    copy(m, old, kept);
    if (!m->full)
        write_elements(m, field->type, (wanted - kept) / element);
    if (chosen && !m->full && wanted > 0)
        draw_value(m->dice, field->type,
                   m->out + start + dice_below(m->dice, wanted / element) * element);
}

// Lies once: a count or a length that does not fit what follows, a byte too many, an end too early.
static void spoil(struct message *m)
{
    struct part parts[FIELDS_MAX];
    bool whole = split(m, m->out, m->size, parts);
    size_t number = 0, width = 0;
    for (size_t tries = 0; tries < 4 && width == 0; tries++) {
        number = dice_below(m->dice, m->payload->field_count);
        width = m->payload->fields[number].prefix_size;
        if (counts_arrays(m->payload, number))
            width = m->payload->fields[number].type->wire_size;
    }
    if (whole && width > 0) {
        uint8_t *at = m->out + parts[number].offset;
        uint64_t told = load(at, width);
        store(at, width,
              dice_once_in(m->dice, 2) ? told + dice_below(m->dice, 3) - 1
                                       : draw_integer(m->dice, width));
    } else if (dice_once_in(m->dice, 2) && m->size < m->capacity) {
        m->out[m->size++] = (uint8_t)dice_next(m->dice);
    } else {
        m->size -= dice_below(m->dice, m->size + 1);
    }
}

size_t message_change(const struct tau_payload_info *payload, struct dice *dice, uint8_t *data,
                      size_t size, size_t capacity)
{
    struct message m = {.payload = payload, .dice = dice, .capacity = capacity};
    struct part parts[FIELDS_MAX];
    fuzz_require(payload->field_count <= FIELDS_MAX,
                 "a payload has more fields than were foreseen");
    if (payload->field_count == 0 || !split(&m, data, size, parts) || dice_once_in(dice, 16))
        return message_make(payload, dice, data, capacity);
    uint8_t *changed = malloc(capacity ? capacity : 1);
    fuzz_require(changed != NULL, "no memory");
    m.out = changed;
    size_t chosen = dice_below(dice, payload->field_count);
    for (size_t i = 0; i < payload->field_count && !m.full; i++) {
        const uint8_t *old = data + parts[i].offset;
        if (payload->fields[i].shape == TAU_SHAPE_COUNTED_ARRAY)
            rewrite_array(&m, i, old, parts[i].size, i == chosen);
        else if (i == chosen)
            write_field(&m, i);
        else
            copy(&m, old, parts[i].size);
    }
    if (!m.full && dice_once_in(dice, 4))
        spoil(&m);
    if (!m.full) {
        memcpy(data, changed, m.size);
        size = m.size;
    }
    free(changed);
    return size;
}

size_t message_cross(const struct tau_payload_info *payload, struct dice *dice, struct tau_slice a,
                     struct tau_slice b, uint8_t *out, size_t capacity)
{
    struct message first = {.payload = payload, .dice = dice, .out = out, .capacity = capacity};
    struct message second = first;
    struct part from_a[FIELDS_MAX] = {0}, from_b[FIELDS_MAX] = {0};
    if (!split(&first, a.data, a.size, from_a) || !split(&second, b.data, b.size, from_b))
        return 0;
    size_t border = dice_below(dice, payload->field_count + 1);
    for (size_t i = 0; i < payload->field_count && !first.full; i++) {
        struct part part = i < border ? from_a[i] : from_b[i];
        const uint8_t *old = (i < border ? a.data : b.data) + part.offset;
        if (i >= border && counts_arrays(payload, i))
            first.counts[i] = second.counts[i];
        if (payload->fields[i].shape == TAU_SHAPE_COUNTED_ARRAY)
            rewrite_array(&first, i, old, part.size, false);
        else
            copy(&first, old, part.size);
    }
    return first.full ? 0 : first.size;
}
