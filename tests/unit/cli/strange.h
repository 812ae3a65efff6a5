/* SPDX-License-Identifier: MIT */
/*
 * The specification of a server with two operations that this tau-cli was not compiled with: one
 * has every shape of a field, the other is a stream.
 */
#ifndef TAU_TESTS_STRANGE_H
#define TAU_TESTS_STRANGE_H

#include "cli_test.h"

#include "specification/document.h"

#define STRANGE_OPCODE 0x7A
#define FLOW_OPCODE    0x7B

#define STRANGE_TYPE(name, kind, size, is_signed, more)                                            \
    "'" name "':{'kind':'" kind "','size':" size ",'signed':" is_signed ",'doc':'A " name          \
    ".'" more "}"

#define STRANGE_FIELD(name, type, shape, more)                                                     \
    "{'name':'" name "','type':'" type "','shape':'" shape "','doc':'The " name ".'" more "}"

#define STRANGE_OPERATION(name, code, kind, request, response)                                     \
    "{'name':'" name "','code':" code ",'since':9,'kind':'" kind                                   \
    "','effect':'read','scope':'any',"                                                             \
    "'role':'reader','negotiated':true,'reply':'OK','statuses':['series_not_found'],"              \
    "'doc':'Does what nobody knew.\\nIt may do more.','cli':null,'request':{'min_size':0,"         \
    "'max_size':4194304,'extensible':false,'fields':[" request "]},'response':{'min_size':0,"      \
    "'max_size':4194304,'extensible':false,'fields':[" response "]}}"

/* With single quotes, so that it can be read. */
/* clang-format off */
static const char strange_source[] =
    "{'name':'tau','statuses':["
    "{'name':'success','code':0,'doc':'Done.'},"
    "{'name':'series_not_found','code':7,'doc':'There is none.'}],"
    "'replies':[{'name':'OK','code':240},{'name':'PONG','code':4}],'types':{"
    STRANGE_TYPE("u8", "integer", "1", "false", "") ","
    STRANGE_TYPE("u32", "integer", "4", "false", "") ","
    STRANGE_TYPE("i16", "integer", "2", "true", "") ","
    STRANGE_TYPE("u64", "integer", "8", "false", "") ","
    STRANGE_TYPE("f64", "float", "8", "false", "") ","
    STRANGE_TYPE("bool", "bool", "1", "false", "") ","
    STRANGE_TYPE("status", "status", "1", "false", "") ","
    STRANGE_TYPE("text", "text", "0", "false", "") ","
    STRANGE_TYPE("bytes", "blob", "0", "false", "") ","
    STRANGE_TYPE("label", "bytes", "32", "false", "") ","
    STRANGE_TYPE("tag", "bytes", "4", "false", "") ","
    STRANGE_TYPE("timestamp", "integer", "8", "true", ",'alias_of':'i64'") ","
    STRANGE_TYPE("pair", "struct", "6", "false",
                 ",'members':[{'name':'tag','type':'tag','offset':0,'doc':'First.'},"
                 "{'name':'level','type':'i16','offset':4,'doc':'Then.'}]") ","
    STRANGE_TYPE("colour", "enum", "1", "false",
                 ",'open':false,'values':[{'name':'red','value':0,'doc':'As a rose.'},"
                 "{'name':'blue','value':7,'doc':'As the sky.'}]")
    "},'services':[{'operations':["
    STRANGE_OPERATION("STRANGE", "122", "unary",
        STRANGE_FIELD("tag", "tag", "fixed", ",'offset':0") ","
        STRANGE_FIELD("level", "i16", "optional", ",'minimum':-5,'maximum':500") ","
        STRANGE_FIELD("note", "text", "sized", ",'prefix':1,'max_bytes':10") ","
        STRANGE_FIELD("colour", "colour", "fixed", "") ","
        STRANGE_FIELD("bold", "bool", "fixed", "") ","
        STRANGE_FIELD("count", "u8", "fixed", ",'maximum':3") ","
        STRANGE_FIELD("pairs", "pair", "counted_array", ",'count_field':'count','max_count':3") ","
        STRANGE_FIELD("numbers", "u32", "counted_array",
                      ",'count_field':'count','max_count':3,'maximum':99") ","
        STRANGE_FIELD("tail", "bytes", "rest", ",'max_bytes':8"),
        STRANGE_FIELD("at", "timestamp", "optional", "") ","
        STRANGE_FIELD("outcome", "status", "fixed", "") ","
        STRANGE_FIELD("count", "u8", "fixed", "") ","
        STRANGE_FIELD("pairs", "pair", "counted_array", ",'count_field':'count'") ","
        STRANGE_FIELD("sizes", "u64", "counted_array", ",'count_field':'count','max_count':4") ","
        STRANGE_FIELD("rest", "colour", "rest_array", "")) ","
    STRANGE_OPERATION("FLOW", "123", "stream",
        "",
        STRANGE_FIELD("first", "bool", "fixed", "") ","
        STRANGE_FIELD("values", "f64", "rest_array", ""))
    "]}]}";
/* clang-format on */

/* The document as JSON; to be freed. */
static inline char *strange_text(void)
{
    char *text = strdup(strange_source);
    assert_non_null(text);
    for (char *at = text; (at = strchr(at, '\'')) != NULL;) {
        *at = '"';
    }
    return text;
}

static inline struct tau_slice strange_slice(const char *text)
{
    return (struct tau_slice){.data = (const uint8_t *)text, .size = strlen(text)};
}

/* Takes a text and gives it, to be freed, with other words where the old ones stand first. */
static inline char *strange_change(char *text, const char *old, const char *words)
{
    size_t size = strlen(text) + strlen(words) + 1;
    char *at = strstr(text, old);
    char *changed = malloc(size);
    assert_true(at != NULL && changed != NULL);
    snprintf(changed, size, "%.*s%s%s", (int)(at - text), text, words, at + strlen(old));
    free(text);
    return changed;
}

/* Takes the text of a document and gives it as it is read; to be freed. */
static inline struct cli_document *strange_read(char *text)
{
    struct cli_spec_fault fault = {""};
    struct cli_document *document = cli_document_read(strange_slice(text), &fault);
    free(text);
    if (document == NULL) {
        fail_msg("%s", fault.words);
    }
    return document;
}

/* The document as it is read; to be freed. */
static inline struct cli_document *strange_document(void)
{
    return strange_read(strange_text());
}

#endif
