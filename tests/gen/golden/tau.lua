-- SPDX-License-Identifier: MIT
--
-- Shows Tau in Wireshark and tshark: every frame with its fields, each reply with the request
-- that it answers, and what a receiver refuses and why. Copy it into the folder of personal plugins
-- (Help, About Wireshark, Folders), or name it: tshark -X lua_script:tau.lua
--
-- Generated from the specification in protocol/ by gen/taugen; changes are lost.

local protocol = {
    title = "Tau",
    version = 1,
    port = 1,
    magic = "TAU",
    header_size = 10,
    header = { magic = 0, version = 3, opcode = 4, flags = 5, payload_length = 6 },
    payload_max = 1000,
    more = 1,
    checks = {
        magic = 1,
        version = 1,
        opcode = 2,
        payload_limit = 1,
        state = 3,
        flags = 1,
        payload_length = 4,
    },
}

local statuses = {
    [0] = "success",
    [1] = "bad_frame",
    [2] = "bad_opcode",
    [3] = "denied",
    [4] = "invalid_payload",
    [5] = "unknown_outcome",
}

local flags = { { name = "more", value = 1 } }

local types = {
    u8 = { kind = "integer", size = 1, signed = false },
    u16 = { kind = "integer", size = 2, signed = false },
    u32 = { kind = "integer", size = 4, signed = false },
    u64 = { kind = "integer", size = 8, signed = false },
    i64 = { kind = "integer", size = 8, signed = true },
    f64 = { kind = "float", size = 8 },
    bool = { kind = "bool", size = 1 },
    status = { kind = "status", size = 1 },
    text = { kind = "text", size = 0 },
    bytes = { kind = "blob", size = 0 },
    label = { kind = "bytes", size = 32 },
    moment = { kind = "integer", size = 8, signed = true },
    pair = {
        kind = "struct",
        size = 40,
        members = {
            { name = "key", type = "label", offset = 0, doc = "The key." },
            {
                name = "moment",
                type = "moment",
                offset = 32,
                doc = "The time.",
            },
        },
    },
    colour = {
        kind = "enum",
        size = 1,
        open = false,
        values = { [0] = "red", [1] = "blue" },
    },
    shade = {
        kind = "enum",
        size = 1,
        open = true,
        values = { [0] = "light", [1] = "dark" },
    },
    tint = {
        kind = "struct",
        size = 10,
        members = {
            {
                name = "moment",
                type = "moment",
                offset = 0,
                doc = "The time.",
            },
            {
                name = "colour",
                type = "colour",
                offset = 8,
                doc = "The colour.",
            },
            {
                name = "shade",
                type = "shade",
                offset = 9,
                doc = "The shade.",
            },
        },
    },
}

local payloads = {
    hello_request = {
        fields = {
            {
                name = "key",
                type = "label",
                shape = "fixed",
                doc = "The key.",
            },
        },
    },
    put_request = {
        fields = {
            {
                name = "key",
                type = "label",
                shape = "fixed",
                doc = "The key.",
            },
            {
                name = "moment",
                type = "moment",
                shape = "fixed",
                doc = "The time.",
            },
            {
                name = "weight",
                type = "f64",
                shape = "fixed",
                doc = "The weight.",
            },
        },
    },
    get_request = {
        fields = {
            {
                name = "colour",
                type = "colour",
                shape = "fixed",
                doc = "The colour.",
            },
            {
                name = "exact",
                type = "bool",
                shape = "fixed",
                doc = "Whether exactly.",
            },
            {
                name = "note",
                type = "text",
                shape = "sized",
                prefix = 1,
                max = 20,
                doc = "A note.",
            },
            {
                name = "after",
                type = "moment",
                shape = "optional",
                doc = "Not before.",
            },
            {
                name = "reason",
                type = "text",
                shape = "sized",
                prefix = 1,
                max = 12,
                tail = "reason",
                doc = "What for.",
            },
        },
        extensible = true,
    },
    get_response = {
        fields = {
            {
                name = "pair",
                type = "pair",
                shape = "optional",
                doc = "The pair.",
            },
            {
                name = "count",
                type = "u16",
                shape = "fixed",
                high = 10,
                counts = true,
                doc = "How many.",
            },
            {
                name = "pairs",
                type = "pair",
                shape = "counted_array",
                max = 10,
                count = "count",
                doc = "The others.",
            },
            {
                name = "latest",
                type = "moment",
                shape = "fixed",
                doc = "The last one's time.",
            },
            {
                name = "shade",
                type = "shade",
                shape = "fixed",
                tail = "shade",
                doc = "Its shade.",
            },
            {
                name = "rumour_count",
                type = "u8",
                shape = "fixed",
                high = 3,
                counts = true,
                tail = "rumour_count",
                doc = "How many rumours.",
            },
            {
                name = "rumours",
                type = "moment",
                shape = "counted_array",
                max = 3,
                count = "rumour_count",
                tail = "rumour_count",
                doc = "When it was heard of.",
            },
        },
        extensible = true,
    },
    walk_request = {
        fields = {
            {
                name = "limit",
                type = "u32",
                shape = "fixed",
                low = 1,
                high = 10,
                doc = "The most.",
            },
        },
    },
    walk_response = {
        fields = {
            {
                name = "moments",
                type = "moment",
                shape = "rest_array",
                max = 10,
                doc = "Moments.",
            },
        },
    },
    blend_request = {
        fields = {
            {
                name = "ground",
                type = "tint",
                shape = "fixed",
                doc = "What lies below.",
            },
            {
                name = "glaze",
                type = "tint",
                shape = "optional",
                doc = "What lies above.",
            },
            {
                name = "tint_count",
                type = "u8",
                shape = "fixed",
                low = 1,
                high = 10,
                counts = true,
                doc = "How many tints.",
            },
            {
                name = "tints",
                type = "tint",
                shape = "counted_array",
                max = 10,
                count = "tint_count",
                doc = "What is blended.",
            },
            {
                name = "shades",
                type = "shade",
                shape = "counted_array",
                max = 10,
                count = "tint_count",
                doc = "How strong each is.",
            },
        },
    },
    blend_response = {
        fields = {
            {
                name = "colours",
                type = "colour",
                shape = "rest_array",
                max = 10,
                doc = "What came of it.",
            },
        },
    },
    err = {
        fields = {
            {
                name = "status",
                type = "status",
                shape = "fixed",
                doc = "Why.",
            },
            {
                name = "text",
                type = "text",
                shape = "sized",
                prefix = 2,
                max = 40,
                tail = "long_errors",
                doc = "In words.",
            },
        },
    },
}

local operations = {
    [1] = {
        name = "HELLO",
        reply = 240,
        request = "hello_request",
        response = "hello_response",
        extensible = false,
    },
    [2] = {
        name = "PUT",
        reply = 240,
        request = "put_request",
        response = "put_response",
        extensible = false,
    },
    [3] = {
        name = "GET",
        reply = 240,
        request = "get_request",
        response = "get_response",
        extensible = true,
    },
    [4] = {
        name = "WALK",
        reply = 240,
        request = "walk_request",
        response = "walk_response",
        extensible = false,
    },
    [5] = {
        name = "BLEND",
        reply = 240,
        request = "blend_request",
        response = "blend_response",
        extensible = false,
    },
}

local replies = {
    [240] = { name = "OK", payload = "ok" },
    [255] = { name = "ERR", payload = "err" },
}
