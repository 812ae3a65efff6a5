// SPDX-License-Identifier: MIT
// What a connection still has to send.
#include "transport/output.h"

#include "transport/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t runs_offset(size_t capacity)
{
    return (capacity + sizeof(struct taud_reply_run) - 1) / sizeof(struct taud_reply_run) *
           sizeof(struct taud_reply_run);
}

static size_t block_bytes(const struct taud_block *block)
{
    return sizeof *block + runs_offset(block->capacity) +
           block->run_count * sizeof(struct taud_reply_run);
}

struct taud_block *taud_block_new(struct taud_budget *budget, size_t capacity, uint32_t run_count)
{
    if (capacity > UINT32_MAX / 2)
        return NULL;
    struct taud_block *block =
        malloc(sizeof *block + runs_offset(capacity) + run_count * sizeof(struct taud_reply_run));
    if (block == NULL)
        return NULL;
    *block = (struct taud_block){.capacity = (uint32_t)capacity, .run_count = run_count};
    taud_budget_take(budget, block_bytes(block));
    return block;
}

void taud_block_free(struct taud_budget *budget, struct taud_block *block)
{
    if (block == NULL)
        return;
    taud_budget_give(budget, block_bytes(block));
    free(block);
}

struct taud_reply_run *taud_block_runs(struct taud_block *block)
{
    return (struct taud_reply_run *)(void *)(block->data + runs_offset(block->capacity));
}

void taud_output_add(struct taud_output *output, struct taud_block *block)
{
    block->next = NULL;
    if (output->tail == NULL)
        output->head = block;
    else
        output->tail->next = block;
    output->tail = block;
    output->bytes += block->size;
}

void taud_output_push(struct taud_output *output, struct taud_block *block)
{
    struct taud_block **last = &output->pushes;
    while (*last != NULL)
        last = &(*last)->next;
    block->next = NULL;
    *last = block;
    output->push_count++;
    output->bytes += block->size;
}

void taud_output_replace(struct taud_output *output, struct taud_budget *budget,
                         struct taud_block *waiting, struct taud_block *filled)
{
    struct taud_block **link = &output->head;
    while (*link != waiting) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    assert(waiting->sent == 0);
    *link = filled;
    filled->next = waiting->next;
    if (output->tail == waiting)
        output->tail = filled;
    output->bytes += filled->size - waiting->size;
    taud_block_free(budget, waiting);
}

static void free_list(struct taud_budget *budget, struct taud_block *block)
{
    while (block != NULL) {
        struct taud_block *next = block->next;
        taud_block_free(budget, block);
        block = next;
    }
}

void taud_output_done(struct taud_output *output, struct taud_budget *budget)
{
    free_list(budget, output->head);
    free_list(budget, output->pushes);
    *output = (struct taud_output){0};
}

// --- a sync that failed ------------------------------------------------------------------------

// Walks the frames of a block and copies them, or only counts where `out` is NULL, with an ERR in
// the place of each successful reply to a write. Returns the size of the result.
static size_t rewrite(struct taud_block *block, const struct taud_block *error, uint8_t *out)
{
    const struct taud_reply_run *runs = taud_block_runs(block);
    size_t read = 0;
    size_t written = 0;
    for (uint32_t run = 0; run < block->run_count; run++) {
        for (uint32_t index = 0; index < runs[run].count && read < block->size; index++) {
            struct tau_header header = {0};
            enum tau_status status = tau_header_decode(block->data + read, &header, NULL);
            assert(status == TAU_STATUS_SUCCESS);
            (void)status;
            size_t size = TAU_HEADER_SIZE + header.payload_length;
            bool unknown = runs[run].write && header.opcode == TAU_OPCODE_OK;
            if (out != NULL)
                memcpy(out + written, unknown ? error->data : block->data + read,
                       unknown ? error->size : size);
            written += unknown ? error->size : size;
            read += size;
        }
    }
    return written;
}

// Returns a block that takes the place of one whose sync failed, or NULL without memory.
static struct taud_block *without_outcome(struct taud_budget *budget, struct taud_block *block,
                                          bool detailed)
{
    struct taud_block *error = taud_error_block(budget, TAU_STATUS_OUTCOME_UNKNOWN, detailed);
    if (error == NULL)
        return NULL;
    size_t size = rewrite(block, error, NULL);
    struct taud_block *rewritten = taud_block_new(budget, size, 0);
    if (rewritten != NULL)
        rewritten->size = (uint32_t)rewrite(block, error, rewritten->data);
    taud_block_free(budget, error);
    return rewritten;
}

// --- sending -----------------------------------------------------------------------------------

// Looks whether the block behind *link may go out; replaces it where its sync failed.
static bool may_send(struct taud_output *output, struct taud_budget *budget,
                     const struct taud_log_watch *log, bool detailed, struct taud_block **link,
                     bool *ret_broken)
{
    struct taud_block *block = *link;
    if (block->pending != NULL)
        return false;
    if (block->hold == 0)
        return true;
    enum tau_status outcome = log->outcome(log->context, block->hold);
    if (outcome == TAU_STATUS_WOULD_BLOCK)
        return false;
    if (outcome != TAU_STATUS_SUCCESS) {
        struct taud_block *rewritten = without_outcome(budget, block, detailed);
        if (rewritten == NULL) {
            *ret_broken = true;
            return false;
        }
        taud_output_replace(output, budget, block, rewritten);
        assert(*link == rewritten);
        block = rewritten;
    }
    block->hold = 0;
    return true;
}

static struct tau_slice unsent(const struct taud_block *block)
{
    return (struct tau_slice){.data = block->data + block->sent, .size = block->size - block->sent};
}

// The order: the rest of a block that has begun, then pushes, then the blocks that may go.
size_t taud_output_gather(struct taud_output *output, struct taud_budget *budget,
                          const struct taud_log_watch *log, bool detailed,
                          struct tau_slice *ret_slices, size_t capacity, bool *ret_broken)
{
    size_t count = 0;
    struct taud_block **link = &output->head;
    if (*link != NULL && (*link)->sent > 0 && count < capacity) {
        ret_slices[count++] = unsent(*link);
        link = &(*link)->next;
    }
    for (struct taud_block *push = output->pushes; push != NULL && count < capacity;
         push = push->next)
        ret_slices[count++] = unsent(push);
    for (; *link != NULL && count < capacity; link = &(*link)->next) {
        if (!may_send(output, budget, log, detailed, link, ret_broken))
            break;
        ret_slices[count++] = unsent(*link);
    }
    return count;
}

// Takes bytes off the first block of a list. Returns how many; a block that is done is freed.
static size_t take_sent(struct taud_block **list, struct taud_budget *budget, size_t size)
{
    struct taud_block *block = *list;
    assert(block != NULL);
    size_t step = block->size - block->sent;
    if (step > size) {
        block->sent += (uint32_t)size;
        return size;
    }
    *list = block->next;
    taud_block_free(budget, block);
    return step;
}

void taud_output_sent(struct taud_output *output, struct taud_budget *budget, size_t size)
{
    assert(size <= output->bytes);
    output->bytes -= (uint32_t)size;
    if (output->head != NULL && output->head->sent > 0 && size > 0)
        size -= take_sent(&output->head, budget, size);
    while (size > 0 && output->pushes != NULL) {
        struct taud_block *push = output->pushes;
        if (size < push->size) { // a push that has begun goes before everything else
            push->sent = (uint32_t)size;
            output->pushes = push->next;
            push->next = output->head;
            output->head = push;
            if (output->tail == NULL)
                output->tail = push;
            size = 0;
        } else {
            size -= take_sent(&output->pushes, budget, size);
        }
        output->push_count--;
    }
    while (size > 0)
        size -= take_sent(&output->head, budget, size);
    if (output->head == NULL)
        output->tail = NULL;
}
