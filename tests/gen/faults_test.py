# SPDX-License-Identifier: MIT
"""Specifications with one fault, each of which must fail at a stated line with a stated message.

A fault is a change of the small specification. The mark `#!` in what is put in stands on the line
that the error must name.
"""

from __future__ import annotations

import re
import unittest
from dataclasses import dataclass

from specification import Workspace


@dataclass(frozen=True)
class Fault:
    """One change: in which file, what is replaced by what, and the error's words."""

    name: str
    file: str
    old: str
    new: str
    says: str
    place: int = 1


ROOT, DEMO = "tau.toml", "demo.toml"
_HELLO = 'request = [{ name = "key", type = "label", doc = "The key." }]'
_WEIGHT = '{ name = "weight", type = "f64", doc = "The weight." }'
_NOTE = '{ name = "note", type = "text", size = "u8", max = 20, doc = "A note.", example = "so" }'
_PAIRS = '{ name = "pairs", type = "pair", array = "count", doc = "The others." }'
_LIMIT = '{ name = "limit", type = "u32", min = 1, max = "items", doc = "The most.", example = 3 }'
_TINTS = '{ name = "tint_count", type = "u8", min = 1, max = "items", doc = "How many tints." }'
_RED = '{ name = "red", value = 0, doc = "As a rose." }'
_BLUE = '{ name = "blue", value = 1, doc = "As the sky." }'
_SHADE = '{ name = "shade", type = "shade", since = 1, doc = "Its shade." },'
_RUMOURS = (
    '{ name = "rumours", type = "moment", array = "rumour_count", since = 1, '
    'doc = "When it was heard of." },'
)
_DARK = '{ name = "dark", value = 1, since = 1, doc = "As the night." },'
_MOMENT = '{ name = "moment", type = "moment", doc = "The time." }'
_PUT_CLI = (
    'cli = { command = "put", summary = "store a pair", '
    'arguments = ["key", "moment", "weight"] }'
)


def row(name: str, old: str, new: str, says: str, file: str = DEMO, place: int = 1) -> Fault:
    return Fault(name, file, old, new, says, place)


def root(name: str, old: str, new: str, says: str, place: int = 1) -> Fault:
    return Fault(name, ROOT, old, new, says, place)


FILES = [
    root("no_toml", "version = 1", "version = = 1 #!", "not TOML"),
    root("key_twice", "version = 1", "version = 1\nversion = 1 #!", "not TOML"),
    root("doc_that_rings", 'doc = "More follows."', 'doc = "More \\u0007follows." #!',
         "`doc` holds U+0007, which is not seen"),
    root("doc_that_turns_around", 'doc = "More follows."', 'doc = "More \\u202Efollows." #!',
         "`doc` holds U+202E, which is not seen"),
    root("doc_with_a_character_of_nothing", 'doc = "More follows."', 'doc = "\\u0000More." #!',
         "`doc` holds U+0000, which is not seen"),
    row("summary_of_lines", 'summary = "', 'summary = "Of\\nlines. ', "`summary` holds U+000A"),
    row("example_that_is_not_seen", 'example = "me"', 'example = "m\\u200Be"',
        "`example` holds U+200B"),
    root("unknown_key_of_root", "include =", "surprise = 1 #!\ninclude =",
         "unknown key `surprise`"),
    root("unknown_key_of_table", 'unit = "items"', 'unit = "items"\nunits = 1 #!',
         "unknown key `units`"),
    row("unknown_key_of_field", _WEIGHT, _WEIGHT.replace('doc', 'docs = "x", doc') + " #!",
        "unknown key `docs`"),
    row("unknown_key_of_cli", _PUT_CLI, _PUT_CLI.replace("summary", 'hint = "x", summary') + " #!",
        "unknown key `hint`"),
    row("mistyped_key", "code = 0x02", "opcod = 0x02 #!",
        "unknown key `opcod`; expected perhaps `code`"),
    row("mistyped_key_of_field", _WEIGHT, _WEIGHT.replace("type", "tpye") + " #!",
        "unknown key `tpye`; expected perhaps `type`"),
    row("mistyped_key_that_may_lack", "extensible = true", "extensibel = true #!",
        "unknown key `extensibel`; expected perhaps `extensible`"),
    row("mistyped_key_beside_a_near_one", _NOTE, _NOTE.replace("size", "sise") + ", #!",
        "unknown key `sise`; expected perhaps `size`"),
    row("mistyped_key_that_another_table_has", "since = 1\nkind", "sinze = 1 #!\nkind",
        "unknown key `sinze`; expected perhaps `since`"),
    root("mistyped_key_that_is_needed", "value = 1000", "values_ = 1000 #!",
         "unknown key `values_`; expected perhaps `value`"),
    row("mistyped_service", "[service]", "[servise] #!",
        "unknown key `servise`; expected perhaps `service`"),
    root("mistyped_tables", "[[header]]", "[[haeder]] #!",
        "unknown key `haeder`; expected perhaps `header`"),
    root("mistyped_protocol", "[protocol]", "[protocoll] #!", "expected perhaps `protocol`"),
    root("missing_key_beside_a_strange_one", "number = 4", "surprise = 4", "`number` is missing"),
    root("missing_key", "[[flag]]\n", "[[flag]] #!\n", "`doc` is missing", 0),
    root("wrong_type", "number = 4", 'number = "4" #!', "`number` is of the wrong type"),
    root("bool_for_number", "number = 4", "number = true #!", "`number` is of the wrong type"),
    root("not_a_name", 'name = "items"', 'name = "Items" #!', "`Items` is not a name"),
    root("empty_doc", 'doc = "The most items."', 'doc = "" #!', "the documentation is empty"),
]

NUMBERS = [
    root("limit_number_twice", "number = 4", "number = 3 #!", "the number 0x03 is taken"),
    root("limit_name_twice", 'name = "items"', 'name = "payload_bytes" #!',
         "the name `payload_bytes` is taken"),
    root("limit_zero", "value = 10\n", "value = 0 #!\n", "`value` is 0"),
    root("status_code_twice", "code = 0x03", "code = 0x02 #!", "the status code 0x02 is taken"),
    root("status_name_twice", 'name = "denied"', 'name = "bad_frame" #!',
         "the name `bad_frame` is taken"),
    root("local_status_on_the_wire", "code = 0x100", "code = 0x10 #!", "`code` is 16"),
    root("second_ok", 'class = "retry"', 'class = "ok" #!', "`timeout` is of class `ok`"),
    root("unknown_class", 'class = "retry"', 'class = "later" #!', "`class` is `later`"),
    root("feature_bit", "bit = 0", "bit = 64 #!", "`bit` is 64"),
    root("two_bits", "value = 0x01\n", "value = 0x03 #!\n", "0x03 is more than one bit"),
    row("opcode_twice", "code = 0x03", "code = 0x02 #!", "the opcode 0x02 is taken"),
    row("operation_twice", 'name = "GET"', 'name = "PUT" #!', "the name `PUT` is taken"),
    row("opcode_out_of_range", "code = 0x04", "code = 0x10 #!", "the opcode 0x10 is outside"),
    row("reply_out_of_range", "code = 0xF0", "code = 0x20 #!", "the opcode 0x20 is outside"),
    row("operation_of_the_future", 'name = "GET"\ncode = 0x03\nsince = 1',
        'name = "GET"\ncode = 0x03\nsince = 2 #!', "`since` is 2, but this is version 1"),
    row("reply_of_the_future", 'name = "OK"\ncode = 0xF0\nsince = 1',
        'name = "OK"\ncode = 0xF0\nsince = 9 #!', "`since` is 9, but this is version 1"),
    row("since_ever", 'name = "GET"\ncode = 0x03\nsince = 1',
        'name = "GET"\ncode = 0x03\nsince = 0 #!',
        "`since` is 0"),
    row("opcode_zero", "code = 0x01", "code = 0x00 #!", "`code` is 0"),
    root("pushes_begin_nowhere", "first_push_opcode = 0xE0", "first_push_opcode = 0xD8 #!",
         "0xd8 begins no range"),
    row("service_among_pushes", "first_opcode = 0x00", "first_opcode = 0xE0 #!",
        "`first_opcode` is 224; expected an integer from 0 to 208"),
    row("range_begins_nowhere", "first_opcode = 0x00", "first_opcode = 0x01 #!",
        "0x01 begins no range"),
]

HEADER = [
    root("header_order", 'name = "flags"', 'name = "flaggs"', "the header has the fields"),
    root("version_stated_twice", 'name = "version"\ntype = "u8"',
         'name = "version"\ntype = "u8"\nvalue = 1 #!', "frames carry the version of [protocol]"),
    root("magic_size", "size = 3", "size = 4", "`TAU` has another size"),
    root("no_such_limit", 'max = "payload_bytes"', 'max = "payload" #!',
         "there is no limit `payload`"),
]

TYPES = [
    root("type_twice", 'name = "moment"\nkind', 'name = "label" #!\nkind',
         "the type `label` is stated twice"),
    root("built_in_again", 'name = "label"', 'name = "u8" #!', "the type `u8` is stated twice"),
    root("unknown_kind", 'kind = "alias"', 'kind = "name" #!', "`kind` is `name`"),
    root("alias_of_text", 'of = "i64"', 'of = "text" #!', "an alias cannot stand for `text`"),
    root("alias_of_nothing", 'of = "i64"', 'of = "i63" #!', "there is no type `i63`"),
    root("type_in_itself", 'of = "i64"', 'of = "moment" #!', "the type `moment` holds itself"),
    root("bool_in_struct", _MOMENT, '{ name = "b", type = "bool", doc = "B." }, #!',
         "`bool` cannot be in a struct"),
    root("member_twice", _MOMENT, _MOMENT.replace('"moment", type', '"key", type') + ", #!",
         "the field `key` is stated twice"),
    root("member_named_int", _MOMENT, _MOMENT.replace('"moment", type', '"int", type') + ", #!",
         "`int` cannot name a field in C"),
    root("value_twice", _BLUE, _BLUE.replace("1", "0") + ", #!", "the value 0 is used twice"),
    root("value_name_twice", _BLUE, _BLUE.replace("blue", "red") + ", #!", "`red` is stated twice"),
    root("value_too_large", _BLUE, _BLUE.replace("1", "256") + ", #!", "`value` is 256"),
    root("example_too_long", 'example = "ab"', 'example = "' + "x" * 33 + '" #!',
         "the example 'xxx"),
    root("example_of_another_type", "example = 7", 'example = "7" #!', "the example '7'"),
]

PAYLOADS = [
    row("no_such_type", _HELLO, _HELLO.replace('"label", doc', '"lable", doc') + " #!",
        "there is no type `lable`"),
    row("field_twice", _WEIGHT, _WEIGHT.replace('"weight"', '"key"') + ", #!",
        "the field `key` is stated twice"),
    row("field_named_like_a_presence", _WEIGHT, _WEIGHT.replace('"weight"', '"has_key"') + " #!",
        "`has_key` cannot name a field"),
    row("text_without_size", _NOTE, _NOTE.replace('size = "u8", ', "") + ", #!",
        "`size` is missing"),
    row("text_without_max", _NOTE, _NOTE.replace("max = 20, ", "") + ", #!", "`note` has no `max`"),
    row("text_over_prefix", _NOTE, _NOTE.replace("20", "300") + ", #!", "`max` is 300"),
    row("example_over_max", _NOTE, _NOTE.replace('"so"', '"' + "x" * 21 + '"') + ", #!",
        "is too long"),
    row("fixed_with_size", _WEIGHT, _WEIGHT.replace("doc", 'size = "u8", doc') + " #!",
        "unknown key `size`"),
    row("count_is_missing", _PAIRS, _PAIRS.replace('"count"', '"number"') + ", #!",
        "no earlier field `number` counts"),
    row("count_is_signed", '{ name = "count", type = "u16", max = "items"',
        '{ name = "count", type = "i64"', "`count` cannot count", place=1),
    row("rest_of_extensible", _PAIRS, _PAIRS.replace('"count"', '"rest"') + ", #!",
        "an extensible payload has no rest"),
    row("rest_without_max", 'array = "rest", max = "items"', 'array = "rest"',
        "`moments` has no `max`"),
    row("array_of_bools", _PAIRS, _PAIRS.replace('"pair"', '"bool"') + ", #!",
        "there is no array of `bool`"),
    row("behind_the_rest", _HELLO,
        'request = [\n{ name = "a", type = "bytes", size = "rest", max = 4, doc = "A." },\n'
        '{ name = "b", type = "u8", doc = "B." }, #!\n]', "a field follows `a`"),
    row("array_of_statuses", _PAIRS, _PAIRS.replace('"pair"', '"status"') + ", #!",
        "there is no array of `status`"),
    row("min_of_a_count_over_max", _TINTS, _TINTS.replace("min = 1", "min = 11"), "`min` is 11"),
    row("min_over_max", _LIMIT, _LIMIT.replace("min = 1", "min = 11"), "`min` is 11"),
    row("example_out_of_bounds", _LIMIT, _LIMIT.replace("example = 3", "example = 11"),
        "the example 11 is out of bounds"),
    row("limit_too_large_for_type", _LIMIT,
        _LIMIT.replace("u32", "u8").replace("items", "payload_bytes"),
        "the limit `payload_bytes` is 1000"),
    row("payload_too_large", _NOTE,
        _NOTE.replace("u8", "u16").replace("20", "2000") + ", #!", "`note` may take 2002 bytes"),
    row("added_to_what_is_not_extensible", _HELLO, _HELLO.replace("doc", "since = 1, doc") + " #!",
        "the payload is not extensible"),
    row("added_by_a_later_version", _SHADE, _SHADE.replace("since = 1", "since = 2") + " #!",
        "`since` is 2"),
    row("added_without_since", _RUMOURS, _RUMOURS.replace("since = 1, ", "") + " #!",
        "a field follows `rumour_count`, which was added later"),
    row("added_and_optional", _SHADE, _SHADE.replace("since", "optional = true, since") + " #!",
        "an added field may be missing already"),
    row("added_array_of_an_old_count", _RUMOURS, _RUMOURS.replace("rumour_count", "count") + " #!",
        "`rumours` and `count` were not added together"),
    row("added_array_later_than_its_count", _RUMOURS,
        _RUMOURS.replace("since = 1", "since = 2") + " #!",
        "`rumours` and `rumour_count` were not added together"),
    row("added_array_apart_from_its_count", _RUMOURS,
        _RUMOURS.replace("rumours", "others").replace("moment", "u8").replace(
            'array = "rumour_count", ', "") + "\n  " + _RUMOURS + " #!",
        "the field `others` stands between `rumour_count` and `rumours`; "
        "expected added arrays right"),
    row("feature_of_a_request", _HELLO,
        _HELLO.replace("doc", 'feature = "long_errors", doc') + " #!",
        "only a reply's field may need a feature"),
    row("example_of_no_status", 'type = "status", doc = "Why."',
        'type = "status", example = "lost", doc = "Why."',
        "there is no status `lost`"),
    row("only_with_nothing", _WEIGHT, _WEIGHT.replace("doc", 'only_with = "mass", doc') + " #!",
        "no earlier field `mass`"),
    row("only_with_itself", _WEIGHT, _WEIGHT.replace("doc", 'only_with = "weight", doc') + " #!",
        "no earlier field `weight`"),
    row("only_with_what_may_lack", 'only_with = "count", ', 'only_with = "pair",',
        "no earlier field `pair`"),
    row("only_with_what_is_signed", _WEIGHT,
        _WEIGHT.replace("doc", 'only_with = "moment", doc') + " #!", "`moment` does not count"),
    row("only_with_of_an_array", _PAIRS, _PAIRS.replace("doc", 'only_with = "count", doc') + ", #!",
        "unknown key `only_with`"),
    row("no_such_feature", 'feature = "long_errors"', 'feature = "words"',
        "there is no feature `words`"),
]

OPERATIONS = [
    row("unknown_kind_of_operation", 'kind = "stream"', 'kind = "flow" #!', "`kind` is `flow`"),
    row("unknown_effect", 'effect = "write"', 'effect = "erase" #!', "`effect` is `erase`"),
    row("unknown_role", 'role = "writer"', 'role = "owner" #!', "`role` is `owner`"),
    row("no_such_reply", "batched = true", 'batched = true\nreply = "DONE" #!',
        "`DONE` is no reply"),
    row("batched_stream", "negotiated = true", "batched = true #!", "a stream cannot be batched"),
    row("no_such_status", '"unknown_outcome"]', '"lost"] #!', "there is no status `lost`"),
    row("local_status_of_operation", '"unknown_outcome"]', '"timeout"] #!',
        "the status `timeout` is local"),
    row("status_twice", '["denied", "invalid_payload"]', '["denied", "denied"] #!',
        "`denied` is listed twice"),
    row("write_without_unknown", 'name = "PUT"\n', 'name = "PUT"\n',
        "does not list `unknown_outcome`", place=0),
    row("read_with_unknown", 'statuses = ["denied", "invalid_payload"]',
        'statuses = ["denied", "unknown_outcome"]', "the read HELLO lists"),
    row("write_for_readers", 'role = "writer"', 'role = "reader"', "is open to readers"),
    row("stream_frame_too_large", "moments", "moments", "a frame of the stream may carry", place=0),
    row("stranger_sends_much", _HELLO,
        _HELLO.replace('type = "label"', 'type = "text", size = "u8", max = 60'),
        "a request of 61 bytes is legal in `new`"),
    row("stranger_needs_negotiation", 'states = ["new", "open"]',
        'negotiated = true\nstates = ["new", "open"]', "HELLO is legal in `new` but negotiated"),
    row("legal_nowhere", 'states = ["new", "open"]', "states = [] #!",
        "the operation is legal nowhere"),
    row("legal_at_the_end", 'states = ["new", "open"]', 'states = ["closed"] #!',
        "`closed` is no state"),
    row("document_beyond_its_frame", 'name = "WALK"', 'name = "SPECIFICATION"',
        "the specification as JSON takes"),
    row("argument_is_missing", _PUT_CLI, _PUT_CLI.replace(', "weight"]', "]") + " #!",
        "`weight` is not among the arguments"),
    row("no_such_argument", _PUT_CLI, _PUT_CLI.replace('"weight"]', '"weigh"]') + " #!",
        "`weigh` is no argument"),
    row("command_twice", 'command = "get"', 'command = "put"', "the command `put` is taken"),
    row("custom_with_arguments", _PUT_CLI,
        _PUT_CLI.replace("arguments", "custom = true, arguments") + " #!",
        "the command must be custom or have arguments"),
]

SESSION = [
    root("no_such_state", 'to = "open"', 'to = "opened" #!', "there is no state `opened`"),
    root("no_such_event", 'on = "HELLO.ok"', 'on = "HELLO.done" #!', "`HELLO.done` is no event"),
    root("event_of_nothing", 'on = "HELLO.ok"', 'on = "HI.ok" #!', "`HI.ok` is no event"),
    root("illegal_event", 'on = "HELLO.ok"', 'on = "PUT.ok" #!', "`PUT` is not legal in `new`"),
    root("leaves_the_end", 'from = "open"', 'from = "closed" #!', "nothing leaves the final state"),
    root("value_added_later", _DARK, _DARK.replace("since = 1", "since = 2") + " #!",
         "`since` is 2"),
    root("value_added_to_what_is_closed", _BLUE, _BLUE.replace("doc", "since = 1, doc") + ", #!",
         "`colour` is not open"),
    root("second_initial", 'name = "open"\n', 'name = "open"\ninitial = true #!\n',
         "`open` is a second initial state"),
    root("refusal_missing", 'refuses_with = "bad_opcode"\n', "", "does not fit `refuses_with`"),
    root("two_ways", 'from = "open"\non = "refused"', 'from = "new"\non = "refused"',
         "`refused` leaves `new` twice"),
    root("out_of_reach", 'on = "HELLO.ok"\nto = "open"', 'on = "HELLO.ok"\nto = "new"',
         "no transition reaches the state `open`"),
    root("checks_out_of_order", 'name = "flags"\nstatus', 'name = "state" #!\nstatus',
         "the check `state` is out of order"),
]

# Names that cannot be names in another language.
_WALK = '[[operation]]\nname = "WALK"'
_EXACT = '{ name = "exact", type = "bool", doc = "Whether exactly." }'
_FEATURE = "[[feature]]\n"


def method(name: str, called: str, says: str) -> Fault:
    return row(name, _WALK, _WALK.replace("]]", "]] #!").replace("WALK", called), says)


def fields(name: str, says: str, *called: str, type_: str = "u8") -> Fault:
    """These fields in place of one, the last of which is the fault."""
    rows = [f'{{ name = "{field}", type = "{type_}", doc = "It." }}' for field in called]
    return row(name, _EXACT, ",\n  ".join(rows) + ", #!", says)


def stated_type(name: str, called: str, says: str) -> Fault:
    """A type that nothing else asks for."""
    text = f'[[type]] #!\nname = "{called}"\nkind = "enum"\nof = "u8"\ndoc = "It."\n'
    values = 'values = [{ name = "one", value = 1, doc = "One." }]\n\n'
    return root(name, _FEATURE, text + values + _FEATURE, says)


NAMES = [
    method("call_of_the_library", "FLUSH",
           "the operation FLUSH is `tau_async_flush` in C, where that is taken already"),
    method("call_of_a_client", "BATCHER_NEW", "is `tau_client_batcher_new` in C"),
    stated_type("tag_of_the_library", "error", "the type `error` is `tau_error` in C"),
    stated_type("tag_of_a_payload", "walk_request",
                "the operation WALK is `tau_walk_request` in C, "
                "where that is the type `walk_request`"),
    root("constant_of_a_limit", _FEATURE, """[[type]] #!
name = "limit"
kind = "enum"
of = "u8"
doc = "It."
values = [{ name = "items", value = 1, doc = "One." }]

[[feature]]
""", "`items` of `limit` is `TAU_LIMIT_ITEMS` in C, where that is the limit `items`"),
    fields("field_of_a_word_of_c", "`co_await` cannot name a field in C", "co_await"),
    fields("field_of_a_macro_of_c", "`errno` cannot name a field in C", "errno"),
    method("method_of_every_client", "CLOSE",
           "the operation CLOSE is `close` in JavaScript, where that is taken already"),
    method("method_of_every_object", "TO_STRING", "TO_STRING is `toString` in JavaScript"),
    method("method_that_makes_a_promise", "THEN", "THEN is `then` in JavaScript"),
    method("methods_that_are_one", "GET_",
           "the operation GET_ is `get` in JavaScript, where that is the operation GET"),
    method("method_of_a_client", "OPEN", "the operation OPEN is `open` in Python"),
    method("method_named_as_a_keyword", "IMPORT", "the operation IMPORT is `import` in Python"),
    fields("field_of_every_object", "the field `value_of` is `valueOf` in JavaScript", "value_of"),
    fields("fields_that_are_one",
           "`so__far` is `soFar` in JavaScript, where that is the field `so_far`",
           "so_far", "so__far"),
    fields("field_as_the_bits_of_another",
           "`weight_bits` is `weightBits` in JavaScript, "
           "where that is what holds the bits of `weight`",
           "weight", "weight_bits", type_="f64"),
    root("members_that_are_one", _MOMENT,
         _MOMENT.replace('"moment", type', '"key_", type') + ", #!",
         "the field `key_` is `key` in JavaScript, where that is the field `key`"),
    stated_type("declaration_of_the_language", "promise", "`promise` is `Promise` in TypeScript"),
    stated_type("declaration_of_what_is_sent", "pair_input",
                "`pair_input` is `PairInput` in TypeScript, where that is what is sent as `pair`"),
    stated_type("class_of_the_package", "pipeline", "the type `pipeline` is `Pipeline` in Python"),
    stated_type("class_of_a_status", "denied",
                "the type `denied` is `Denied` in Python, where that is the status `denied`"),
    root("class_that_is_a_keyword", '[[status]]\nname = "timeout"', '[[status]] #!\nname = "none"',
         "the status `none` is `None` in Python"),
]

# Faults that take more than one change: what else is changed, and the line that is named.
MORE = {
    "added_array_later_than_its_count": [(ROOT, "version = 1\n", "version = 2\n")],
    "missing_key": [(ROOT, 'doc = "More follows."\n', "")],
    "write_without_unknown": [(DEMO, ', "unknown_outcome"]', "]")],
    "stream_frame_too_large": [
        (ROOT, "value = 200", "value = 80"),
    ],
}

# Where the mark cannot stand in the change itself, the line is found by what stands on it.
LINES = {
    "header_order": (ROOT, "[[header]]", 1),
    "magic_size": (ROOT, 'value = "TAU"', 1),
    "summary_of_lines": (DEMO, 'command = "put"', 1),
    "example_that_is_not_seen": (DEMO, 'name = "reason"', 1),
    "missing_key": (ROOT, "[[flag]]", 1),
    "missing_key_beside_a_strange_one": (ROOT, "[[limit]]", 4),
    "count_is_signed": (DEMO, '{ name = "pairs"', 1),
    "rest_without_max": (DEMO, '{ name = "moments"', 1),
    "min_of_a_count_over_max": (DEMO, '{ name = "tint_count"', 1),
    "min_over_max": (DEMO, '{ name = "limit"', 1),
    "example_out_of_bounds": (DEMO, '{ name = "limit"', 1),
    "limit_too_large_for_type": (DEMO, '{ name = "limit"', 1),
    "example_of_no_status": (DEMO, 'example = "lost"', 1),
    "only_with_what_may_lack": (DEMO, 'name = "latest"', 1),
    "no_such_feature": (DEMO, 'feature = "words"', 1),
    "write_without_unknown": (DEMO, "[[operation]]", 2),
    "read_with_unknown": (DEMO, "[[operation]]", 1),
    "write_for_readers": (DEMO, "[[operation]]", 2),
    "stream_frame_too_large": (DEMO, '{ name = "moments"', 1),
    "stranger_sends_much": (DEMO, "[[operation]]", 1),
    "document_beyond_its_frame": (DEMO, "[[operation]]", 4),
    "stranger_needs_negotiation": (DEMO, "[[operation]]", 1),
    "command_twice": (DEMO, 'command = "put", summary = "read', 1),
    "tag_of_a_payload": (DEMO, _WALK, 1),
    "refusal_missing": (ROOT, "[[state]]", 2),
    "two_ways": (ROOT, "[[transition]]", 3),
    "out_of_reach": (ROOT, "[[state]]", 2),
}

FAULTS = FILES + NUMBERS + HEADER + TYPES + PAYLOADS + OPERATIONS + SESSION + NAMES


def line_of(text: str, words: str, place: int) -> int:
    """The line of the occurrence that `place` counts from 1."""
    at = -1
    for _ in range(place):
        at = text.index(words, at + 1)
    return text.count("\n", 0, at) + 1


class FaultsTest(unittest.TestCase):
    """Every fault is found, at its line."""

    def test_small_specification_is_right(self) -> None:
        with Workspace() as space:
            self.assertEqual(space.generate().stderr, "")

    def test_a_file_that_states_nothing(self) -> None:
        empty = "# Nothing yet.\n"
        idle = '# Idle.\n\n[service]\nname = "idle"\nfirst_opcode = 0x10\ndoc = "Idle."\n'
        for text, line, wrong in ((empty, 1, "the file states nothing"),
                                  (idle, 3, "the service `idle` has no operation")):
            with self.subTest(wrong), Workspace() as space:
                path = space.spec / "idle.toml"
                path.write_text(text, encoding="utf-8")
                result = space.generate()
                self.assertIn(f"{path.as_posix()}:{line}: {wrong}; expected ", result.stderr)
                self.assertEqual(result.returncode, 2)

    def test_every_fault_has_its_own_name(self) -> None:
        names = [fault.name for fault in FAULTS]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 40)


def check(self: FaultsTest, fault: Fault) -> None:
    with Workspace() as space:
        if fault.place:
            space.change(fault.file, fault.old, fault.new, fault.place)
        for file, old, new in MORE.get(fault.name, []):
            space.change(file, old, new)
        file, words, place = LINES.get(fault.name, (fault.file, "#!", 1))
        text = (space.spec / file).read_text(encoding="utf-8")
        line = line_of(text, words, place)
        result = space.generate()
        expected = re.escape(f"{(space.spec / file).as_posix()}:{line}: ")
        self.assertRegex(result.stderr, expected)
        self.assertIn(fault.says, result.stderr)
        self.assertRegex(result.stderr, r"; expected \S")
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertEqual(result.returncode, 2)
        self.assertFalse((space.path / "out").exists(), "wrote outputs of a wrong specification")


for _fault in FAULTS:
    def _case(self: FaultsTest, fault: Fault = _fault) -> None:
        check(self, fault)

    setattr(FaultsTest, f"test_{_fault.name}", _case)

if __name__ == "__main__":
    unittest.main()
