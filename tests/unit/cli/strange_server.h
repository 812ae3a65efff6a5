/* SPDX-License-Identifier: MIT */
/*
 * Plans of the workbench's server that make it one of the strange specification.
 */
#ifndef TAU_TESTS_STRANGE_SERVER_H
#define TAU_TESTS_STRANGE_SERVER_H

#include "command_rig.h"
#include "rig_server.h"
#include "strange.h"
#include "wire/slice.h"

static inline void plan_payload(struct command_rig *rig, uint8_t opcode, const void *data,
                                size_t size)
{
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    rig_reply(rig, opcode, &(struct tau_writer){.data = copy, .size = size, .capacity = size});
    free(copy);
}

/* SPECIFICATION is answered with this text. */
static inline void plan_document(struct command_rig *rig, const char *text)
{
    plan_payload(rig, TAU_OPCODE_SPECIFICATION, text, strlen(text));
}

static inline void plan_strange_document(struct command_rig *rig)
{
    char *text = strange_text();
    plan_document(rig, text);
    free(text);
}

/* The server offers SPECIFICATION, what is strange, and QUERY_POINT of another layout. */
static inline void plan_strange_offer(struct command_rig *rig)
{
    const struct tau_operation_fingerprint operations[] = {
        {TAU_OPCODE_SPECIFICATION, tau_operation_find(TAU_OPCODE_SPECIFICATION)->fingerprint},
        {TAU_OPCODE_QUERY_POINT, 1},
        {STRANGE_OPCODE, 2},
        {FLOW_OPCODE, 3}};
    struct tau_negotiate_response response = {
        .server_name = tau_slice_text("strange"),
        .operation_count = COUNT(operations),
        .operations = {.data = operations, .count = COUNT(operations)},
    };
    uint8_t room[256];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    assert_true(tau_negotiate_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_NEGOTIATE, &out);
}

#endif
