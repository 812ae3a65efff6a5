/* SPDX-License-Identifier: MIT */
/*
 * The ring of requests that wait. A payload's description is found by its name in the generated
 * tables: an operation's in lower case, and `_request` or `_response`.
 */
#include "decode/conversation.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64
#define NAME_SIZE      128

void cli_conversation_init(struct cli_conversation *conversation)
{
    *conversation = (struct cli_conversation){.waiting = NULL};
}

void cli_conversation_done(struct cli_conversation *conversation)
{
    free(conversation->waiting);
    cli_conversation_init(conversation);
}

void cli_conversation_forget(struct cli_conversation *conversation)
{
    conversation->first = 0;
    conversation->count = 0;
}

static bool grow(struct cli_conversation *conversation)
{
    size_t capacity = conversation->capacity == 0 ? FIRST_CAPACITY : conversation->capacity * 2;
    uint8_t *waiting = malloc(capacity);
    if (waiting == NULL) {
        return false;
    }
    for (size_t i = 0; i < conversation->count; i++) {
        waiting[i] = conversation->waiting[(conversation->first + i) % conversation->capacity];
    }
    free(conversation->waiting);
    conversation->waiting = waiting;
    conversation->capacity = capacity;
    conversation->first = 0;
    return true;
}

static bool wait_for(struct cli_conversation *conversation, uint8_t opcode)
{
    if (conversation->count == CLI_WAITING_LIMIT) {
        conversation->first = (conversation->first + 1) % conversation->capacity;
        conversation->count--;
    }
    if (conversation->count == conversation->capacity && !grow(conversation)) {
        return false;
    }
    size_t end = (conversation->first + conversation->count) % conversation->capacity;
    conversation->waiting[end] = opcode;
    conversation->count++;
    return true;
}

/* The operation that a reply answers, or NULL: nothing waits, or something that is none. */
static const struct tau_operation_info *answered(struct cli_conversation *conversation,
                                                 uint8_t flags)
{
    if (conversation->count == 0) {
        return NULL;
    }
    uint8_t opcode = conversation->waiting[conversation->first];
    if ((flags & TAU_FLAG_MORE) == 0) {
        conversation->first = (conversation->first + 1) % conversation->capacity;
        conversation->count--;
    }
    return tau_operation_find(opcode);
}

static const struct tau_payload_info *find_layout(const char *name, const char *suffix)
{
    char text[NAME_SIZE];
    snprintf(text, sizeof(text), "%s%s", name, suffix);
    for (char *at = text; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return tau_payload_find(text);
}

static void describe_reply(struct cli_frame *frame)
{
    bool success = frame->operation != NULL && frame->operation->reply == frame->header.opcode;
    frame->layout = success ? find_layout(frame->operation->name, "_response")
                            : find_layout(tau_opcode_name(frame->header.opcode), "");
    frame->readable = success || frame->layout != NULL;
}

bool cli_conversation_add(struct cli_conversation *conversation, bool reply,
                          const struct tau_header *header, struct tau_slice payload,
                          struct cli_frame *ret_frame)
{
    *ret_frame = (struct cli_frame){.reply = reply, .header = *header, .payload = payload};
    if (reply) {
        ret_frame->operation = answered(conversation, header->flags);
        describe_reply(ret_frame);
        return true;
    }
    ret_frame->operation = tau_operation_find(header->opcode);
    ret_frame->readable = ret_frame->operation != NULL;
    if (ret_frame->readable) {
        ret_frame->layout = find_layout(ret_frame->operation->name, "_request");
    }
    return wait_for(conversation, header->opcode);
}

bool cli_conversation_add_refused(struct cli_conversation *conversation, uint8_t opcode)
{
    return wait_for(conversation, opcode);
}
