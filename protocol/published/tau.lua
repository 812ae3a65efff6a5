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
    port = 7701,
    magic = "TAU",
    header_size = 10,
    header = { magic = 0, version = 3, opcode = 4, flags = 5, payload_length = 6 },
    payload_max = 4194304,
    more = 1,
    checks = {
        magic = 1,
        version = 2,
        opcode = 3,
        payload_limit = 4,
        state = 5,
        flags = 16,
        payload_length = 9,
    },
}

local statuses = {
    [0] = "success",
    [1] = "bad_magic",
    [2] = "bad_version",
    [3] = "bad_opcode",
    [4] = "payload_too_large",
    [5] = "not_authenticated",
    [6] = "auth_failed",
    [7] = "series_not_found",
    [8] = "series_already_exists",
    [9] = "invalid_payload",
    [10] = "internal_error",
    [11] = "out_of_order",
    [12] = "lens_not_found",
    [13] = "lens_already_exists",
    [16] = "bad_flags",
    [17] = "cancelled",
    [18] = "limit_exceeded",
    [19] = "storage_full",
    [20] = "read_only",
    [21] = "outcome_unknown",
    [22] = "too_many_connections",
    [23] = "throttled",
    [24] = "layout_mismatch",
    [25] = "rollup_not_found",
    [26] = "rollup_already_exists",
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
    certificate = { kind = "bytes", size = 32 },
    transform_name = { kind = "bytes", size = 32 },
    timestamp = { kind = "integer", size = 8, signed = true },
    value = { kind = "float", size = 8 },
    point = {
        kind = "struct",
        size = 16,
        members = {
            {
                name = "timestamp",
                type = "timestamp",
                offset = 0,
                doc = "When.",
            },
            {
                name = "value",
                type = "value",
                offset = 8,
                doc = "What was measured.",
            },
        },
    },
    row = {
        kind = "struct",
        size = 48,
        members = {
            {
                name = "label",
                type = "label",
                offset = 0,
                doc = "The series.",
            },
            {
                name = "timestamp",
                type = "timestamp",
                offset = 32,
                doc = "When.",
            },
            {
                name = "value",
                type = "value",
                offset = 40,
                doc = "What was measured.",
            },
        },
    },
    refused_row = {
        kind = "struct",
        size = 5,
        members = {
            {
                name = "row",
                type = "u32",
                offset = 0,
                doc = "The row's place in the request, from 0.",
            },
            {
                name = "status",
                type = "status",
                offset = 4,
                doc = "Why it was refused.",
            },
        },
    },
    limit_number = { kind = "integer", size = 2, signed = false },
    limit_value = {
        kind = "struct",
        size = 10,
        members = {
            {
                name = "number",
                type = "limit_number",
                offset = 0,
                doc = "The limit's number.",
            },
            { name = "value", type = "u64", offset = 2, doc = "Its value." },
        },
    },
    fingerprint = { kind = "integer", size = 8, signed = false },
    operation_fingerprint = {
        kind = "struct",
        size = 9,
        members = {
            {
                name = "opcode",
                type = "u8",
                offset = 0,
                doc = "The operation.",
            },
            {
                name = "fingerprint",
                type = "fingerprint",
                offset = 1,
                doc = "Of its canonical layout.",
            },
        },
    },
    direction = {
        kind = "enum",
        size = 1,
        open = false,
        values = { [0] = "forward", [1] = "backward" },
    },
    order_policy = {
        kind = "enum",
        size = 1,
        open = true,
        values = {
            [0] = "strict",
            [1] = "reject",
            [2] = "last",
            [3] = "first",
            [4] = "min",
            [5] = "max",
            [6] = "sum",
        },
    },
    aggregate_function = {
        kind = "enum",
        size = 1,
        open = true,
        values = {
            [0] = "count",
            [1] = "sum",
            [2] = "min",
            [3] = "max",
            [4] = "mean",
            [5] = "first",
            [6] = "last",
            [7] = "stddev",
            [8] = "stddev_population",
            [9] = "quantile",
            [10] = "time_weighted_average",
            [11] = "rate",
            [12] = "increase",
        },
    },
    aggregate_column = {
        kind = "struct",
        size = 9,
        members = {
            {
                name = "function",
                type = "aggregate_function",
                offset = 0,
                doc = "The function.",
            },
            {
                name = "parameter",
                type = "f64",
                offset = 1,
                doc = "Of quantile: from 0 to 1. The others do not look at it.",
            },
        },
    },
    aggregate_fill = {
        kind = "enum",
        size = 1,
        open = false,
        values = { [0] = "none", [1] = "previous", [2] = "linear", [3] = "value" },
    },
    aggregate_grouping = {
        kind = "enum",
        size = 1,
        open = false,
        values = { [0] = "each", [1] = "all", [2] = "sized" },
    },
    rollup_state = {
        kind = "enum",
        size = 1,
        open = true,
        values = { [0] = "settled", [1] = "pending" },
    },
    rollup = {
        kind = "struct",
        size = 98,
        members = {
            {
                name = "target",
                type = "label",
                offset = 0,
                doc = "The series that is kept.",
            },
            {
                name = "source",
                type = "label",
                offset = 32,
                doc = "The series that is read.",
            },
            {
                name = "width",
                type = "u64",
                offset = 64,
                doc = "The width of a bucket.",
            },
            {
                name = "origin",
                type = "timestamp",
                offset = 72,
                doc = "Where a bucket starts.",
            },
            {
                name = "function",
                type = "aggregate_function",
                offset = 80,
                doc = "What is computed.",
            },
            {
                name = "parameter",
                type = "f64",
                offset = 81,
                doc = "Of quantile.",
            },
            {
                name = "settled",
                type = "timestamp",
                offset = 89,
                doc = "The target has all buckets that end at or before it; the least timestamp where there is none.",
            },
            {
                name = "state",
                type = "rollup_state",
                offset = 97,
                doc = "Whether there is work to do.",
            },
        },
    },
}

local payloads = {
    connect_request = {
        fields = {
            {
                name = "certificate",
                type = "certificate",
                shape = "fixed",
                doc = "The server's pre-shared key.",
            },
        },
        secret = true,
    },
    ping_request = {
        fields = {
            {
                name = "ignored",
                type = "bytes",
                shape = "rest",
                max = 4194304,
                doc = "Anything; it is skipped.",
            },
        },
    },
    negotiate_request = {
        fields = {
            {
                name = "features",
                type = "u64",
                shape = "fixed",
                doc = "The features that the client understands, as bits.",
            },
            {
                name = "specification",
                type = "fingerprint",
                shape = "fixed",
                doc = "The fingerprint of the client's whole specification.",
            },
            {
                name = "client_name",
                type = "text",
                shape = "sized",
                prefix = 2,
                max = 64,
                doc = "Name and version of the client.",
            },
            {
                name = "operation_count",
                type = "u16",
                shape = "fixed",
                counts = true,
                doc = "The number of fingerprints that follow.",
            },
            {
                name = "operations",
                type = "operation_fingerprint",
                shape = "counted_array",
                max = 65535,
                count = "operation_count",
                doc = "The operations that the client knows.",
            },
        },
        extensible = true,
    },
    negotiate_response = {
        fields = {
            {
                name = "features",
                type = "u64",
                shape = "fixed",
                doc = "The features that hold from now on: those that both sides understand.",
            },
            {
                name = "specification",
                type = "fingerprint",
                shape = "fixed",
                doc = "The fingerprint of the server's whole specification.",
            },
            {
                name = "server_name",
                type = "text",
                shape = "sized",
                prefix = 2,
                max = 64,
                doc = "Name and version of the server.",
            },
            {
                name = "limit_count",
                type = "u16",
                shape = "fixed",
                counts = true,
                doc = "The number of limits that follow.",
            },
            {
                name = "limits",
                type = "limit_value",
                shape = "counted_array",
                max = 65535,
                count = "limit_count",
                doc = "The limits that the server runs with.",
            },
            {
                name = "operation_count",
                type = "u16",
                shape = "fixed",
                counts = true,
                doc = "The number of fingerprints that follow.",
            },
            {
                name = "operations",
                type = "operation_fingerprint",
                shape = "counted_array",
                max = 65535,
                count = "operation_count",
                doc = "The operations that the server offers.",
            },
        },
        extensible = true,
    },
    specification_response = {
        fields = {
            {
                name = "document",
                type = "bytes",
                shape = "rest",
                max = 4194304,
                doc = "The specification as JSON in UTF-8: the published specification.json without its white space.",
            },
        },
    },
    create_series_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The new series.",
            },
        },
    },
    drop_series_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series to drop.",
            },
        },
    },
    list_series_request = {
        fields = {
            {
                name = "prefix",
                type = "bytes",
                shape = "sized",
                prefix = 2,
                max = 32,
                doc = "Only labels that begin with these bytes; empty for all.",
            },
            {
                name = "cursor",
                type = "label",
                shape = "optional",
                doc = "Only labels behind this one.",
            },
            {
                name = "limit",
                type = "u32",
                shape = "fixed",
                low = 1,
                high = 2000,
                doc = "The most labels in the answer.",
            },
        },
    },
    list_series_response = {
        fields = {
            {
                name = "more",
                type = "bool",
                shape = "fixed",
                doc = "Whether labels were left for another page.",
            },
            {
                name = "labels",
                type = "label",
                shape = "rest_array",
                max = 2000,
                doc = "The labels.",
            },
        },
    },
    describe_series_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
        },
        extensible = true,
    },
    describe_series_response = {
        fields = {
            {
                name = "identity",
                type = "u64",
                shape = "fixed",
                doc = "The identity of the series, never used again.",
            },
            {
                name = "order",
                type = "order_policy",
                shape = "fixed",
                doc = "How it treats timestamps out of order.",
            },
            {
                name = "point_count",
                type = "u64",
                shape = "fixed",
                doc = "The number of its points.",
            },
            {
                name = "memory_bytes",
                type = "u64",
                shape = "fixed",
                doc = "The memory that it holds in the server.",
            },
            {
                name = "first_timestamp",
                type = "timestamp",
                shape = "fixed",
                doc = "Its earliest timestamp.",
            },
            {
                name = "last_timestamp",
                type = "timestamp",
                shape = "fixed",
                doc = "Its latest timestamp.",
            },
            {
                name = "retention",
                type = "u64",
                shape = "fixed",
                tail = "retention",
                doc = "How long its points are kept; 0 for ever.",
            },
        },
        extensible = true,
    },
    set_policy_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
            {
                name = "order",
                type = "order_policy",
                shape = "fixed",
                doc = "How it treats timestamps out of order.",
            },
            {
                name = "retention",
                type = "u64",
                shape = "fixed",
                doc = "How long points are kept; 0 for ever.",
            },
        },
    },
    create_rollup_request = {
        fields = {
            {
                name = "target",
                type = "label",
                shape = "fixed",
                doc = "The series that is kept; it has no rule yet.",
            },
            {
                name = "source",
                type = "label",
                shape = "fixed",
                doc = "The series that is read: neither the target nor one that is made of it.",
            },
            {
                name = "width",
                type = "u64",
                shape = "fixed",
                low = UInt64.new(1, 0),
                doc = "The width of a bucket.",
            },
            {
                name = "origin",
                type = "timestamp",
                shape = "fixed",
                doc = "Where a bucket starts.",
            },
            {
                name = "function",
                type = "aggregate_function",
                shape = "fixed",
                doc = "What is computed.",
            },
            {
                name = "parameter",
                type = "f64",
                shape = "fixed",
                doc = "Of quantile: from 0 to 1. The others do not look at it.",
            },
        },
    },
    drop_rollup_request = {
        fields = {
            {
                name = "target",
                type = "label",
                shape = "fixed",
                doc = "The series that the rule keeps.",
            },
        },
    },
    list_rollups_request = {
        fields = {
            {
                name = "cursor",
                type = "label",
                shape = "optional",
                doc = "Only rules with targets behind this one.",
            },
            {
                name = "limit",
                type = "u32",
                shape = "fixed",
                low = 1,
                high = 2000,
                doc = "The most rules in the answer.",
            },
        },
    },
    list_rollups_response = {
        fields = {
            {
                name = "more",
                type = "bool",
                shape = "fixed",
                doc = "Whether rules were left for another page.",
            },
            {
                name = "rollups",
                type = "rollup",
                shape = "rest_array",
                max = 2000,
                doc = "The rules.",
            },
        },
    },
    append_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
            {
                name = "timestamp",
                type = "timestamp",
                shape = "fixed",
                doc = "Later than every timestamp of the series, unless its order policy takes others.",
            },
            {
                name = "value",
                type = "value",
                shape = "fixed",
                doc = "Any f64.",
            },
        },
    },
    batch_append_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
            {
                name = "count",
                type = "u32",
                shape = "fixed",
                high = 262141,
                counts = true,
                doc = "The number of points.",
            },
            {
                name = "timestamps",
                type = "timestamp",
                shape = "counted_array",
                max = 262141,
                count = "count",
                doc = "A column of timestamps.",
            },
            {
                name = "values",
                type = "value",
                shape = "counted_array",
                max = 262141,
                count = "count",
                doc = "A column of values.",
            },
        },
    },
    batch_append_response = {
        fields = {
            {
                name = "accepted",
                type = "u32",
                shape = "fixed",
                doc = "The number of rows that were stored.",
            },
            {
                name = "refused_count",
                type = "u32",
                shape = "fixed",
                high = 262141,
                counts = true,
                doc = "The number of rows that were not.",
            },
            {
                name = "refused",
                type = "refused_row",
                shape = "counted_array",
                max = 262141,
                count = "refused_count",
                doc = "The refused rows, ascending.",
            },
        },
    },
    multi_append_request = {
        fields = {
            {
                name = "count",
                type = "u32",
                shape = "fixed",
                high = 87381,
                counts = true,
                doc = "The number of rows.",
            },
            {
                name = "rows",
                type = "row",
                shape = "counted_array",
                max = 87381,
                count = "count",
                doc = "The rows.",
            },
        },
    },
    multi_append_response = {
        fields = {
            {
                name = "accepted",
                type = "u32",
                shape = "fixed",
                doc = "The number of rows that were stored.",
            },
            {
                name = "refused_count",
                type = "u32",
                shape = "fixed",
                high = 87381,
                counts = true,
                doc = "The number of rows that were not.",
            },
            {
                name = "refused",
                type = "refused_row",
                shape = "counted_array",
                max = 87381,
                count = "refused_count",
                doc = "The refused rows, ascending.",
            },
        },
    },
    delete_range_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
            {
                name = "from",
                type = "timestamp",
                shape = "fixed",
                doc = "The earliest timestamp.",
            },
            {
                name = "to",
                type = "timestamp",
                shape = "fixed",
                doc = "The latest timestamp, not before the earliest.",
            },
        },
    },
    query_point_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
            {
                name = "timestamp",
                type = "timestamp",
                shape = "fixed",
                doc = "The exact timestamp.",
            },
        },
    },
    query_point_response = {
        fields = {
            {
                name = "value",
                type = "value",
                shape = "optional",
                doc = "The value, if there is a point.",
            },
        },
    },
    query_range_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
            {
                name = "from",
                type = "timestamp",
                shape = "fixed",
                doc = "The earliest timestamp.",
            },
            {
                name = "to",
                type = "timestamp",
                shape = "fixed",
                doc = "The latest timestamp.",
            },
            {
                name = "limit",
                type = "u64",
                shape = "fixed",
                doc = "The most points in all; 0 for no limit.",
            },
            {
                name = "direction",
                type = "direction",
                shape = "fixed",
                doc = "Ascending or descending.",
            },
        },
    },
    query_range_response = {
        fields = {
            {
                name = "count",
                type = "u32",
                shape = "fixed",
                high = 4095,
                counts = true,
                doc = "The number of points in this frame.",
            },
            {
                name = "timestamps",
                type = "timestamp",
                shape = "counted_array",
                max = 4095,
                count = "count",
                doc = "A column of timestamps.",
            },
            {
                name = "values",
                type = "value",
                shape = "counted_array",
                max = 4095,
                count = "count",
                doc = "A column of values.",
            },
        },
    },
    query_latest_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
        },
    },
    query_latest_response = {
        fields = {
            {
                name = "point",
                type = "point",
                shape = "optional",
                doc = "The point, if there is one.",
            },
        },
    },
    aggregate_request = {
        fields = {
            {
                name = "from",
                type = "timestamp",
                shape = "fixed",
                doc = "The earliest timestamp.",
            },
            {
                name = "to",
                type = "timestamp",
                shape = "fixed",
                doc = "The latest timestamp.",
            },
            {
                name = "width",
                type = "u64",
                shape = "fixed",
                doc = "The width of a bucket; 0 for a single one.",
            },
            {
                name = "origin",
                type = "timestamp",
                shape = "fixed",
                doc = "Where a bucket starts.",
            },
            {
                name = "fill",
                type = "aggregate_fill",
                shape = "fixed",
                doc = "What stands in buckets without points.",
            },
            {
                name = "fill_value",
                type = "f64",
                shape = "fixed",
                doc = "The value of the fill `value`.",
            },
            {
                name = "grouping",
                type = "aggregate_grouping",
                shape = "fixed",
                doc = "Which series have a result together.",
            },
            {
                name = "function_count",
                type = "u8",
                shape = "fixed",
                low = 1,
                high = 16,
                counts = true,
                doc = "The number of functions.",
            },
            {
                name = "functions",
                type = "aggregate_column",
                shape = "counted_array",
                max = 16,
                count = "function_count",
                doc = "The columns of the result.",
            },
            {
                name = "prefix",
                type = "bytes",
                shape = "sized",
                prefix = 1,
                max = 32,
                doc = "Without labels: every series whose label begins with these bytes.",
            },
            {
                name = "group_count",
                type = "u32",
                shape = "fixed",
                high = 65536,
                counts = true,
                doc = "The number of groups; 0 unless the grouping is `sized`.",
            },
            {
                name = "group_sizes",
                type = "u32",
                shape = "counted_array",
                max = 65536,
                count = "group_count",
                doc = "How many labels each group has, from 1.",
            },
            {
                name = "label_count",
                type = "u32",
                shape = "fixed",
                high = 65536,
                counts = true,
                doc = "The number of labels; 0 for those of the prefix.",
            },
            {
                name = "labels",
                type = "label",
                shape = "counted_array",
                max = 65536,
                count = "label_count",
                doc = "The series. Each must be there.",
            },
        },
    },
    aggregate_response = {
        fields = {
            {
                name = "group",
                type = "u64",
                shape = "fixed",
                doc = "The number of the group, counted from 0.",
            },
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The group's first series.",
            },
            {
                name = "row_count",
                type = "u32",
                shape = "fixed",
                high = 4080,
                counts = true,
                doc = "The number of rows in this frame.",
            },
            {
                name = "starts",
                type = "timestamp",
                shape = "counted_array",
                max = 4080,
                count = "row_count",
                doc = "Where the buckets start, ascending.",
            },
            {
                name = "value_count",
                type = "u32",
                shape = "fixed",
                high = 4080,
                counts = true,
                doc = "The number of rows times that of functions.",
            },
            {
                name = "values",
                type = "value",
                shape = "counted_array",
                max = 4080,
                count = "value_count",
                doc = "A column for each function, one behind the other.",
            },
        },
    },
    multi_range_request = {
        fields = {
            {
                name = "from",
                type = "timestamp",
                shape = "fixed",
                doc = "The earliest timestamp.",
            },
            {
                name = "to",
                type = "timestamp",
                shape = "fixed",
                doc = "The latest timestamp.",
            },
            {
                name = "low",
                type = "f64",
                shape = "fixed",
                doc = "The least value; NaN is passed over, unless there are no bounds.",
            },
            {
                name = "high",
                type = "f64",
                shape = "fixed",
                doc = "The greatest value. From -inf to inf there are no bounds.",
            },
            {
                name = "limit",
                type = "u64",
                shape = "fixed",
                doc = "The most points of each series; 0 for no limit.",
            },
            {
                name = "direction",
                type = "direction",
                shape = "fixed",
                doc = "Ascending or descending timestamps.",
            },
            {
                name = "prefix",
                type = "bytes",
                shape = "sized",
                prefix = 1,
                max = 32,
                doc = "Without labels: every series whose label begins with these bytes.",
            },
            {
                name = "label_count",
                type = "u32",
                shape = "fixed",
                high = 65536,
                counts = true,
                doc = "The number of labels; 0 for those of the prefix.",
            },
            {
                name = "labels",
                type = "label",
                shape = "counted_array",
                max = 65536,
                count = "label_count",
                doc = "The series. Each must be there.",
            },
        },
    },
    multi_range_response = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
            {
                name = "count",
                type = "u32",
                shape = "fixed",
                high = 4093,
                counts = true,
                doc = "The number of points in this frame.",
            },
            {
                name = "timestamps",
                type = "timestamp",
                shape = "counted_array",
                max = 4093,
                count = "count",
                doc = "A column of timestamps.",
            },
            {
                name = "values",
                type = "value",
                shape = "counted_array",
                max = 4093,
                count = "count",
                doc = "A column of values.",
            },
        },
    },
    multi_latest_request = {
        fields = {
            {
                name = "from",
                type = "timestamp",
                shape = "fixed",
                doc = "The earliest timestamp: points before it are too old.",
            },
            {
                name = "to",
                type = "timestamp",
                shape = "fixed",
                doc = "The latest timestamp.",
            },
            {
                name = "prefix",
                type = "bytes",
                shape = "sized",
                prefix = 1,
                max = 32,
                doc = "Without labels: every series whose label begins with these bytes.",
            },
            {
                name = "label_count",
                type = "u32",
                shape = "fixed",
                high = 65536,
                counts = true,
                doc = "The number of labels; 0 for those of the prefix.",
            },
            {
                name = "labels",
                type = "label",
                shape = "counted_array",
                max = 65536,
                count = "label_count",
                doc = "The series. Each must be there.",
            },
        },
    },
    multi_latest_response = {
        fields = {
            {
                name = "count",
                type = "u32",
                shape = "fixed",
                high = 1365,
                counts = true,
                doc = "The number of rows in this frame.",
            },
            {
                name = "rows",
                type = "row",
                shape = "counted_array",
                max = 1365,
                count = "count",
                doc = "The points, each with its series.",
            },
        },
    },
    multi_range_where_request = {
        fields = {
            {
                name = "from",
                type = "timestamp",
                shape = "fixed",
                doc = "The earliest timestamp.",
            },
            {
                name = "to",
                type = "timestamp",
                shape = "fixed",
                doc = "The latest timestamp.",
            },
            {
                name = "low",
                type = "f64",
                shape = "fixed",
                doc = "The condition's least value; NaN is passed over, unless there are no bounds.",
            },
            {
                name = "high",
                type = "f64",
                shape = "fixed",
                doc = "The condition's greatest value. From -inf to inf there are no bounds.",
            },
            {
                name = "limit",
                type = "u64",
                shape = "fixed",
                doc = "The most timestamps of each group; 0 for no limit.",
            },
            {
                name = "direction",
                type = "direction",
                shape = "fixed",
                doc = "Ascending or descending timestamps.",
            },
            {
                name = "group_size",
                type = "u32",
                shape = "fixed",
                low = 1,
                high = 65536,
                doc = "How many labels each group has, one behind the other.",
            },
            {
                name = "label_count",
                type = "u32",
                shape = "fixed",
                low = 1,
                high = 65536,
                counts = true,
                doc = "The number of labels, a multiple of `group_size`.",
            },
            {
                name = "labels",
                type = "label",
                shape = "counted_array",
                max = 65536,
                count = "label_count",
                doc = "The series. Each must be there.",
            },
        },
    },
    multi_range_where_response = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The series.",
            },
            {
                name = "count",
                type = "u32",
                shape = "fixed",
                high = 4093,
                counts = true,
                doc = "The number of points in this frame.",
            },
            {
                name = "timestamps",
                type = "timestamp",
                shape = "counted_array",
                max = 4093,
                count = "count",
                doc = "A column of timestamps.",
            },
            {
                name = "values",
                type = "value",
                shape = "counted_array",
                max = 4093,
                count = "count",
                doc = "A column of values.",
            },
        },
    },
    create_lens_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The new lens.",
            },
            {
                name = "source",
                type = "label",
                shape = "fixed",
                doc = "A series or a lens.",
            },
            {
                name = "transform",
                type = "transform_name",
                shape = "fixed",
                doc = "One of identity, celsius_to_fahrenheit, fahrenheit_to_celsius, celsius_to_kelvin, kelvin_to_celsius, meters_to_feet, feet_to_meters, returns or log_return.",
            },
        },
    },
    drop_lens_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The lens to drop.",
            },
        },
    },
    query_lens_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The lens.",
            },
            {
                name = "timestamp",
                type = "timestamp",
                shape = "fixed",
                doc = "The exact timestamp.",
            },
        },
    },
    query_lens_response = {
        fields = {
            {
                name = "value",
                type = "value",
                shape = "optional",
                doc = "The transformed value, if there is a point.",
            },
        },
    },
    compose_lens_request = {
        fields = {
            {
                name = "label",
                type = "label",
                shape = "fixed",
                doc = "The new lens.",
            },
            {
                name = "first",
                type = "label",
                shape = "fixed",
                doc = "The lens that is applied first.",
            },
            {
                name = "second",
                type = "label",
                shape = "fixed",
                doc = "The lens that is applied to its result.",
            },
        },
    },
    list_lenses_response = {
        fields = {
            {
                name = "labels",
                type = "label",
                shape = "rest_array",
                max = 131072,
                doc = "The labels.",
            },
        },
    },
    flush_data_response = {
        fields = {
            {
                name = "done",
                type = "u64",
                shape = "fixed",
                doc = "How much of the work is done.",
            },
            {
                name = "total",
                type = "u64",
                shape = "fixed",
                doc = "How much there is to do, as far as that is known.",
            },
        },
    },
    compact_response = {
        fields = {
            {
                name = "done",
                type = "u64",
                shape = "fixed",
                doc = "How much of the work is done.",
            },
            {
                name = "total",
                type = "u64",
                shape = "fixed",
                doc = "How much there is to do, as far as that is known.",
            },
        },
    },
    snapshot_request = {
        fields = {
            {
                name = "name",
                type = "text",
                shape = "sized",
                prefix = 1,
                max = 64,
                doc = "Letters, digits, `.`, `-` and `_`, not `.` first; no snapshot that is there.",
            },
        },
    },
    snapshot_response = {
        fields = {
            {
                name = "done",
                type = "u64",
                shape = "fixed",
                doc = "How much of the work is done.",
            },
            {
                name = "total",
                type = "u64",
                shape = "fixed",
                doc = "How much there is to do, as far as that is known.",
            },
        },
    },
    err = {
        fields = {
            {
                name = "status",
                type = "status",
                shape = "fixed",
                doc = "What went wrong.",
            },
            {
                name = "field",
                type = "u16",
                shape = "fixed",
                tail = "detailed_errors",
                doc = "The number of the payload's field that is at fault, from 0; 0xFFFF where it is none.",
            },
            {
                name = "offset",
                type = "u32",
                shape = "fixed",
                tail = "detailed_errors",
                doc = "The offset in the payload at which it was found.",
            },
            {
                name = "text",
                type = "text",
                shape = "sized",
                prefix = 2,
                max = 512,
                tail = "detailed_errors",
                doc = "The error in words.",
            },
        },
    },
}

local operations = {
    [1] = {
        name = "CONNECT",
        reply = 240,
        request = "connect_request",
        response = "connect_response",
        extensible = false,
    },
    [2] = {
        name = "DISCONNECT",
        reply = 240,
        request = "disconnect_request",
        response = "disconnect_response",
        extensible = false,
    },
    [3] = {
        name = "PING",
        reply = 4,
        request = "ping_request",
        response = "ping_response",
        extensible = false,
    },
    [5] = {
        name = "NEGOTIATE",
        reply = 240,
        request = "negotiate_request",
        response = "negotiate_response",
        extensible = true,
    },
    [6] = {
        name = "CANCEL",
        reply = 240,
        request = "cancel_request",
        response = "cancel_response",
        extensible = false,
    },
    [7] = {
        name = "SPECIFICATION",
        reply = 240,
        request = "specification_request",
        response = "specification_response",
        extensible = false,
    },
    [16] = {
        name = "CREATE_SERIES",
        reply = 240,
        request = "create_series_request",
        response = "create_series_response",
        extensible = false,
    },
    [17] = {
        name = "DROP_SERIES",
        reply = 240,
        request = "drop_series_request",
        response = "drop_series_response",
        extensible = false,
    },
    [18] = {
        name = "LIST_SERIES",
        reply = 240,
        request = "list_series_request",
        response = "list_series_response",
        extensible = false,
    },
    [19] = {
        name = "DESCRIBE_SERIES",
        reply = 240,
        request = "describe_series_request",
        response = "describe_series_response",
        extensible = true,
    },
    [20] = {
        name = "SET_POLICY",
        reply = 240,
        request = "set_policy_request",
        response = "set_policy_response",
        extensible = false,
    },
    [21] = {
        name = "CREATE_ROLLUP",
        reply = 240,
        request = "create_rollup_request",
        response = "create_rollup_response",
        extensible = false,
    },
    [22] = {
        name = "DROP_ROLLUP",
        reply = 240,
        request = "drop_rollup_request",
        response = "drop_rollup_response",
        extensible = false,
    },
    [23] = {
        name = "LIST_ROLLUPS",
        reply = 240,
        request = "list_rollups_request",
        response = "list_rollups_response",
        extensible = false,
    },
    [32] = {
        name = "APPEND",
        reply = 240,
        request = "append_request",
        response = "append_response",
        extensible = false,
    },
    [33] = {
        name = "BATCH_APPEND",
        reply = 240,
        request = "batch_append_request",
        response = "batch_append_response",
        extensible = false,
    },
    [34] = {
        name = "MULTI_APPEND",
        reply = 240,
        request = "multi_append_request",
        response = "multi_append_response",
        extensible = false,
    },
    [35] = {
        name = "DELETE_RANGE",
        reply = 240,
        request = "delete_range_request",
        response = "delete_range_response",
        extensible = false,
    },
    [48] = {
        name = "QUERY_POINT",
        reply = 240,
        request = "query_point_request",
        response = "query_point_response",
        extensible = false,
    },
    [49] = {
        name = "QUERY_RANGE",
        reply = 240,
        request = "query_range_request",
        response = "query_range_response",
        extensible = false,
    },
    [50] = {
        name = "QUERY_LATEST",
        reply = 240,
        request = "query_latest_request",
        response = "query_latest_response",
        extensible = false,
    },
    [51] = {
        name = "AGGREGATE",
        reply = 240,
        request = "aggregate_request",
        response = "aggregate_response",
        extensible = false,
    },
    [52] = {
        name = "MULTI_RANGE",
        reply = 240,
        request = "multi_range_request",
        response = "multi_range_response",
        extensible = false,
    },
    [53] = {
        name = "MULTI_LATEST",
        reply = 240,
        request = "multi_latest_request",
        response = "multi_latest_response",
        extensible = false,
    },
    [54] = {
        name = "MULTI_RANGE_WHERE",
        reply = 240,
        request = "multi_range_where_request",
        response = "multi_range_where_response",
        extensible = false,
    },
    [64] = {
        name = "CREATE_LENS",
        reply = 240,
        request = "create_lens_request",
        response = "create_lens_response",
        extensible = false,
    },
    [65] = {
        name = "DROP_LENS",
        reply = 240,
        request = "drop_lens_request",
        response = "drop_lens_response",
        extensible = false,
    },
    [66] = {
        name = "QUERY_LENS",
        reply = 240,
        request = "query_lens_request",
        response = "query_lens_response",
        extensible = false,
    },
    [67] = {
        name = "COMPOSE_LENS",
        reply = 240,
        request = "compose_lens_request",
        response = "compose_lens_response",
        extensible = false,
    },
    [68] = {
        name = "LIST_LENSES",
        reply = 240,
        request = "list_lenses_request",
        response = "list_lenses_response",
        extensible = false,
    },
    [96] = {
        name = "FLUSH_DATA",
        reply = 240,
        request = "flush_data_request",
        response = "flush_data_response",
        extensible = false,
    },
    [97] = {
        name = "COMPACT",
        reply = 240,
        request = "compact_request",
        response = "compact_response",
        extensible = false,
    },
    [98] = {
        name = "SNAPSHOT",
        reply = 240,
        request = "snapshot_request",
        response = "snapshot_response",
        extensible = false,
    },
}

local replies = {
    [4] = { name = "PONG", payload = "pong" },
    [240] = { name = "OK", payload = "ok" },
    [255] = { name = "ERR", payload = "err" },
}

-- --- fields of the tree ----------------------------------------------------------------------

local tau = Proto("tau", protocol.title)
tau.prefs.elements = Pref.uint("Elements shown", 1000, "The most elements of an array in the tree")

local made = {}
local f = {}

local function make(kind, abbreviation, ...)
    local field = ProtoField[kind](abbreviation, ...)
    made[#made + 1] = field
    return field
end

local function named(table_)
    return function(abbreviation, title, doc, bits)
        return make("uint" .. bits, abbreviation, title, base.DEC, table_, nil, doc)
    end
end

-- The field of one value; a struct has one for each member, by its name.
local function make_value(type_, abbreviation, title, doc, secret)
    if type_.kind == "struct" then
        local members = { whole = make("none", abbreviation, title, base.NONE, doc) }
        for _, member in ipairs(type_.members) do
            members[member.name] = make_value(
                types[member.type], abbreviation .. "." .. member.name, member.name, member.doc)
        end
        return members
    end
    local bits = tostring(8 * type_.size)
    if type_.kind == "integer" then
        return make((type_.signed and "int" or "uint") .. bits, abbreviation, title, base.DEC, nil,
            nil, doc)
    elseif type_.kind == "enum" then
        return named(type_.values)(abbreviation, title, doc, bits)
    elseif type_.kind == "status" then
        return named(statuses)(abbreviation, title, doc, bits)
    elseif type_.kind == "bool" then
        return make("bool", abbreviation, title, base.NONE, nil, nil, doc)
    elseif type_.kind == "float" then
        return make(type_.size == 8 and "double" or "float", abbreviation, title, doc)
    elseif type_.kind == "text" then
        return make("string", abbreviation, title, base.UNICODE, doc)
    elseif type_.kind == "bytes" and not secret then
        return make("string", abbreviation, title, base.UNICODE, doc)
    end
    return make("bytes", abbreviation, title, base.NONE, doc)
end

for name, payload in pairs(payloads) do
    for _, field in ipairs(payload.fields) do
        local abbreviation = "tau." .. name .. "." .. field.name
        field.proto = make_value(
            types[field.type], abbreviation, field.name, field.doc, payload.secret)
        if field.shape == "optional" then
            field.presence = make(
                "bool", abbreviation .. ".present", field.name .. " is there", base.NONE)
        elseif field.shape == "sized" then
            field.length = make(
                "uint" .. 8 * field.prefix, abbreviation .. ".length", field.name .. " length",
                base.DEC)
        elseif field.shape == "counted_array" or field.shape == "rest_array" then
            field.elements = make(
                "uint32", abbreviation .. ".elements", field.name .. " elements", base.DEC)
        end
    end
end

local opcode_names = {}
for code, operation in pairs(operations) do
    opcode_names[code] = operation.name
end
for code, reply in pairs(replies) do
    opcode_names[code] = reply.name
end

f.magic = make("string", "tau.magic", "magic", base.ASCII)
f.version = make("uint8", "tau.version", "version", base.DEC)
f.opcode = make("uint8", "tau.opcode", "opcode", base.HEX, opcode_names)
f.flags = make("uint8", "tau.flags", "flags", base.HEX)
f.payload_length = make("uint32", "tau.payload_length", "payload length", base.DEC)
f.direction = make("string", "tau.direction", "direction", base.ASCII)
f.operation = make("string", "tau.operation", "operation", base.ASCII)
f.answered_in = make("framenum", "tau.answered_in", "answered in", base.NONE,
    frametype.RESPONSE)
f.answers = make("framenum", "tau.answers", "answers the request in", base.NONE,
    frametype.REQUEST)
f.extra = make("bytes", "tau.extra", "added by a later version", base.NONE)
f.noise = make("bytes", "tau.noise", "no frame", base.NONE)
f.cut = make("bytes", "tau.cut", "part of a frame", base.NONE)
f.error_status = make("uint8", "tau.error.status", "refused with", base.DEC, statuses)
f.error_field = make("string", "tau.error.field", "field at fault", base.ASCII)
f.error_offset = make("uint32", "tau.error.offset", "offset of the fault", base.DEC)
for _, flag in ipairs(flags) do
    flag.proto = make("bool", "tau.flags." .. flag.name, flag.name, 8, nil, flag.value)
end
tau.fields = made

local x_refused = ProtoExpert.new(
    "tau.refused", "A receiver refuses this", expert.group.MALFORMED, expert.severity.ERROR)
local x_noise = ProtoExpert.new(
    "tau.no_frame", "These bytes are no frame", expert.group.MALFORMED, expert.severity.ERROR)
local x_cut = ProtoExpert.new(
    "tau.not_whole", "This frame is not whole", expert.group.MALFORMED, expert.severity.WARN)
tau.experts = { x_refused, x_noise, x_cut }

-- --- judging a payload -----------------------------------------------------------------------

-- The length of the longest right beginning of UTF-8.
local function utf8_valid(text)
    local at, size = 1, #text
    while at <= size do
        local first = text:byte(at)
        local length = first < 0x80 and 1 or first >= 0xC2 and first <= 0xDF and 2
            or first >= 0xE0 and first <= 0xEF and 3 or first >= 0xF0 and first <= 0xF4 and 4 or 0
        if length == 0 or at + length - 1 > size then
            return at - 1
        end
        for i = 1, length - 1 do
            local low, high = 0x80, 0xBF
            if i == 1 then
                low = first == 0xE0 and 0xA0 or first == 0xF0 and 0x90 or low
                high = first == 0xED and 0x9F or first == 0xF4 and 0x8F or high
            end
            local byte = text:byte(at + i)
            if byte < low or byte > high then
                return at - 1
            end
        end
        at = at + length
    end
    return size
end

local function number_at(type_, tvb, at)
    local range = tvb(at, type_.size)
    if type_.size == 8 then
        return type_.signed and range:int64() or range:uint64()
    end
    return type_.signed and range:int() or range:uint()
end

-- Whether a single value is one that a receiver takes.
local function is_legal(field, type_, tvb, at)
    if type_.kind == "bool" then
        return tvb(at, 1):uint() <= 1
    elseif type_.kind == "enum" and not type_.open then
        return type_.values[tvb(at, type_.size):uint()] ~= nil
    elseif type_.kind == "integer" and (field.low or field.high) then
        local number = number_at(type_, tvb, at)
        return not (field.low and number < field.low) and not (field.high and number > field.high)
    end
    return true
end

-- How far into a value of a fixed size a receiver finds the first fault, or nil.
local function fault_in(field, type_, tvb, at)
    for _, member in ipairs(type_.members or {}) do
        if not is_legal(field, types[member.type], tvb, at + member.offset) then
            return member.offset
        end
    end
    return not is_legal(field, type_, tvb, at) and 0 or nil
end

-- Whether some values of a type are wrong wherever they stand.
local function is_judged(type_)
    if type_.kind == "enum" then
        return not type_.open
    end
    for _, member in ipairs(type_.members or {}) do
        local inner = types[member.type]
        if inner.kind == "enum" and not inner.open then
            return true
        end
    end
    return false
end

local Walk = {}
Walk.__index = Walk

-- Notes a fault, the first of which counts.
function Walk:fail(field, offset)
    self.fault = self.fault or { field = field and field.name or "none", offset = offset }
    return false
end

function Walk:span(field, at, size, more)
    local span = more or {}
    span.field, span.at, span.size = field, at, size
    self.spans[#self.spans + 1] = span
    return true
end

-- What a field takes of the block of fixed size that it stands in, and whether it ends the block.
local function fixed_part(field)
    if field.shape == "fixed" then
        return types[field.type].size, false
    elseif field.shape == "optional" then
        return 1, true
    elseif field.shape == "sized" then
        return field.prefix, true
    end
    return nil, true
end

-- The sizes of a block are checked together, before any of its values.
function Walk:block_is_whole(number)
    local fields = self.layout.fields
    local tail, pos = fields[number].tail, self.pos
    for i = number, #fields do
        local size, ends = fixed_part(fields[i])
        if size == nil or fields[i].tail ~= tail then
            break
        end
        if self.size - pos < size then
            return self:fail(fields[i], self.size)
        end
        pos = pos + size
        if ends then
            break
        end
    end
    return true
end

function Walk:optional(field)
    local present = self.tvb(self.start + self.pos, 1):uint()
    local size = types[field.type].size
    if present > 1 then
        return self:fail(field, self.pos)
    elseif present == 0 then
        self:span(field, self.pos, 1, { absent = true })
        self.pos = self.pos + 1
        return true
    elseif self.size - self.pos - 1 < size then
        return self:fail(field, self.size)
    end
    local fault = fault_in(field, types[field.type], self.tvb, self.start + self.pos + 1)
    if fault then
        return self:fail(field, self.pos + 1 + fault)
    end
    self:span(field, self.pos, 1 + size)
    self.pos = self.pos + 1 + size
    return true
end

-- A text must be UTF-8.
function Walk:is_text(field, at, size)
    if types[field.type].kind ~= "text" or size == 0 then
        return true
    end
    local valid = utf8_valid(self.tvb:raw(self.start + at, size))
    return valid == size or self:fail(field, at + valid)
end

function Walk:sized(field)
    local size = self.tvb(self.start + self.pos, field.prefix):uint()
    local at = self.pos + field.prefix
    if size > field.max then
        return self:fail(field, self.pos)
    elseif self.size - at < size then
        return self:fail(field, self.size)
    elseif not self:is_text(field, at, size) then
        return false
    end
    self:span(field, self.pos, field.prefix + size)
    self.pos = at + size
    return true
end

function Walk:rest(field)
    local size = self.size - self.pos
    if size > field.max then
        return self:fail(field, self.pos + field.max)
    elseif not self:is_text(field, self.pos, size) then
        return false
    end
    self:span(field, self.pos, size)
    self.pos = self.size
    return true
end

-- The elements of an array, where they can be wrong.
function Walk:elements_are_legal(field, count)
    local type_ = types[field.type]
    for i = 0, is_judged(type_) and count - 1 or -1 do
        local at = self.pos + i * type_.size
        local fault = fault_in(field, type_, self.tvb, self.start + at)
        if fault then
            return self:fail(field, at + fault)
        end
    end
    return true
end

function Walk:array(field)
    local size = types[field.type].size
    local left = self.size - self.pos
    local count = field.count and self.counts[field.count] or math.floor(left / size)
    if field.count and left < count * size then
        return self:fail(field, self.size)
    elseif not field.count and count > field.max then
        return self:fail(field, self.pos + field.max * size)
    elseif not field.count and left % size ~= 0 then
        return self:fail(field, self.size)
    elseif not self:elements_are_legal(field, count) then
        return false
    end
    self:span(field, self.pos, count * size, { elements = count })
    self.pos = self.pos + count * size
    return true
end

function Walk:fixed(field)
    local size = types[field.type].size
    local fault = fault_in(field, types[field.type], self.tvb, self.start + self.pos)
    if fault then
        return self:fail(field, self.pos + fault)
    end
    if field.counts then
        self.counts[field.name] = self.tvb(self.start + self.pos, size):uint()
    end
    self:span(field, self.pos, size)
    self.pos = self.pos + size
    return true
end

local steps = {
    fixed = Walk.fixed, optional = Walk.optional, sized = Walk.sized, rest = Walk.rest,
    counted_array = Walk.array, rest_array = Walk.array,
}

-- Where each field lies, and what is wrong. A payload of no fields has an empty layout.
local function walk_payload(layout, tvb, start, size)
    local walk = setmetatable({
        layout = layout, tvb = tvb, start = start, size = size, pos = 0, spans = {}, counts = {},
    }, Walk)
    local tail = nil
    local checked = false
    for number, field in ipairs(layout.fields) do
        if field.tail ~= tail then
            tail = field.tail
            checked = false
            if walk.pos == size then
                return walk
            end
        end
        local part, ends = fixed_part(field)
        if part and not checked and not walk:block_is_whole(number) then
            return walk
        end
        checked = part ~= nil and not ends
        if not steps[field.shape](walk, field) then
            return walk
        end
    end
    if walk.pos ~= size and not layout.extensible then
        walk:fail(nil, walk.pos)
    end
    return walk
end

-- --- showing a payload -----------------------------------------------------------------------

local function show_value(tree, type_, proto, tvb, at)
    if type_.kind == "struct" then
        local whole = tree:add(proto.whole, tvb(at, type_.size))
        for _, member in ipairs(type_.members) do
            show_value(whole, types[member.type], proto[member.name], tvb, at + member.offset)
        end
        return
    end
    tree:add(proto, tvb(at, type_.size))
end

-- A range that may be empty, even at the end of the bytes.
local function range_of(tvb, at, size)
    return size > 0 and tvb(at, size) or tvb(math.min(at, tvb:captured_len() - 1), 0)
end

local function show_span(tree, walk, span)
    local field, at = span.field, walk.start + span.at
    local type_ = types[field.type]
    if span.elements then
        local whole = tree:add(field.elements, range_of(walk.tvb, at, span.size), span.elements)
        local shown = math.min(span.elements, tau.prefs.elements)
        for i = 0, shown - 1 do
            show_value(whole, type_, field.proto, walk.tvb, at + i * type_.size)
        end
        if shown < span.elements then
            whole:append_text(string.format(" (the first %d are shown)", shown))
        end
    elseif field.shape == "optional" then
        tree:add(field.presence, walk.tvb(at, 1))
        if not span.absent then
            show_value(tree, type_, field.proto, walk.tvb, at + 1)
        end
    elseif field.shape == "sized" then
        tree:add(field.length, walk.tvb(at, field.prefix))
        tree:add(field.proto, range_of(walk.tvb, at + field.prefix, span.size - field.prefix))
    elseif field.shape == "rest" then
        tree:add(field.proto, range_of(walk.tvb, at, span.size))
    else
        show_value(tree, type_, field.proto, walk.tvb, at)
    end
end

local function show_fault(tree, status, field, offset)
    tree:add(f.error_status, status):set_generated()
    tree:add(f.error_field, field):set_generated()
    tree:add(f.error_offset, offset):set_generated()
    tree:add_proto_expert_info(x_refused, string.format(
        "refused with %s: field %s, offset %d", statuses[status], field, offset))
end

local function show_payload(tree, layout, tvb, start, size)
    local walk = walk_payload(layout, tvb, start, size)
    for _, span in ipairs(walk.spans) do
        show_span(tree, walk, span)
    end
    if walk.fault then
        show_fault(tree, protocol.checks.payload_length, walk.fault.field, walk.fault.offset)
    elseif walk.pos < size and layout.extensible then
        tree:add(f.extra, tvb(start + walk.pos, size - walk.pos))
    end
end

-- --- conversations ---------------------------------------------------------------------------

local stream_of = Field.new("tcp.stream")
local streams = {} -- what is known of each connection, by its number
local seen = {} -- what the first look at the frames of each packet found, in their order
local place = { packet = 0, next = 1 } -- where a later look at a packet stands

function tau.init()
    streams = {}
    seen = {}
    place = { packet = 0, next = 1 }
end

local function current_stream()
    local info = stream_of()
    local number = info and info.value or -1
    if not streams[number] then
        streams[number] = { waiting = {}, first = 1, last = 0 }
    end
    return streams[number]
end

-- The server is who has Tau's port, else who was sent the first request.
local function is_reply(stream, pinfo, code)
    if not stream.server_port then
        if pinfo.src_port == protocol.port or pinfo.dst_port == protocol.port then
            stream.server_port = protocol.port
        else
            stream.server_port = replies[code] and pinfo.src_port or pinfo.dst_port
        end
    end
    return pinfo.src_port == stream.server_port
end

local function note_request(stream, code, number)
    local request = { code = code, number = number }
    stream.last = stream.last + 1
    stream.waiting[stream.last] = request
    return request
end

-- A frame with the flag MORE leaves its request waiting.
local function note_reply(stream, frame_flags, number)
    local request = stream.waiting[stream.first]
    if request and frame_flags % (2 * protocol.more) < protocol.more then
        stream.waiting[stream.first] = nil
        stream.first = stream.first + 1
        request.answered_in = number
    end
    return request or {}
end

local function first_look(pinfo, code, frame_flags, refused)
    local stream = current_stream()
    local found = { reply = is_reply(stream, pinfo, code) }
    if not found.reply then
        found.request = note_request(stream, code, pinfo.number)
    elseif refused then
        found.request = {}
    else
        found.request = note_reply(stream, frame_flags, pinfo.number)
    end
    local frames = seen[pinfo.number] or {}
    seen[pinfo.number] = frames
    frames[#frames + 1] = found
    return found
end

-- Frames are looked at once in the order of the connection, then again in any order of packets. The
-- frames that end in a packet are the same each time, and come in the same order.
local function look(pinfo, code, frame_flags, refused)
    local frames = seen[pinfo.number]
    if not pinfo.visited or not frames then
        return first_look(pinfo, code, frame_flags, refused)
    end
    if place.packet ~= pinfo.number or place.next > #frames then
        place = { packet = pinfo.number, next = 1 }
    end
    place.next = place.next + 1
    return frames[place.next - 1]
end

-- --- frames ----------------------------------------------------------------------------------



-- How the payload of a frame reads, or nil where that is not known.
local function layout_of(found, code)
    local operation = operations[found.request.code]
    if not found.reply then
        return operation and (payloads[operation.request] or operation.empty)
    elseif operation and operation.reply == code then
        return payloads[operation.response] or operation.empty
    end
    return payloads[replies[code] and replies[code].payload]
end

for _, operation in pairs(operations) do
    operation.empty = { fields = {}, extensible = operation.extensible }
end

local function show_header(tree, tvb, at)
    local parts = protocol.header
    local header = tree:add(tau, tvb(at, protocol.header_size), "header")
    header:add(f.magic, tvb(at + parts.magic, 3))
    header:add(f.version, tvb(at + parts.version, 1))
    header:add(f.opcode, tvb(at + parts.opcode, 1))
    local flags_item = header:add(f.flags, tvb(at + parts.flags, 1))
    for _, flag in ipairs(flags) do
        flags_item:add(flag.proto, tvb(at + parts.flags, 1))
    end
    header:add(f.payload_length, tvb(at + parts.payload_length, 4))
end

local function show_conversation(tree, found, code)
    local operation = operations[found.request.code]
    local words = opcode_names[code] or string.format("0x%02x", code)
    tree:add(f.direction, found.reply and "reply" or "request"):set_generated()
    if operation then
        tree:add(f.operation, operation.name):set_generated()
    end
    if found.reply then
        words = words .. " to " .. (operation and operation.name or "an unknown request")
        if found.request.number then
            tree:add(f.answers, found.request.number):set_generated()
        end
    elseif found.request.answered_in then
        tree:add(f.answered_in, found.request.answered_in):set_generated()
    end
    return words
end

-- What is wrong with a header: a status and an offset, or nothing.
local function judge_header(tvb, at)
    local parts, checks = protocol.header, protocol.checks
    if tvb(at + parts.version, 1):uint() ~= protocol.version then
        return checks.version, parts.version
    elseif not opcode_names[tvb(at + parts.opcode, 1):uint()] then
        return checks.opcode, parts.opcode
    elseif tvb(at + parts.payload_length, 4):uint() > protocol.payload_max then
        return checks.payload_limit, parts.payload_length
    end
    return nil
end

-- How many bytes a frame takes. One of an unknown opcode is passed over whole, other wrong ones
-- tell no length that can be believed.
local function frame_size(tvb, at)
    local status = judge_header(tvb, at)
    local length = tvb(at + protocol.header.payload_length, 4):uint()
    if status and status ~= protocol.checks.opcode or length > protocol.payload_max then
        length = 0
    end
    return protocol.header_size + length
end

local function show_frame(tvb, at, size, pinfo, root)
    local parts = protocol.header
    local code = tvb(at + parts.opcode, 1):uint()
    local status, offset = judge_header(tvb, at)
    local found = look(pinfo, code, tvb(at + parts.flags, 1):uint(), status)
    local tree = root:add(tau, tvb(at, size), protocol.title)
    show_header(tree, tvb, at)
    local words = show_conversation(tree, found, code)
    tree:append_text(", " .. words)
    if status then
        show_fault(tree, status, "none", offset)
    else
        local layout = layout_of(found, code)
        if layout then
            show_payload(tree, layout, tvb, at + protocol.header_size, size - protocol.header_size)
        end
    end
    return words
end

-- How far from here the next magic may begin.
local function noise_before_magic(tvb, at, size)
    local text = tvb:raw(at, size - at)
    for i = 1, #text do
        if text:byte(i) == protocol.magic:byte(1) then
            local part = text:sub(i, i + #protocol.magic - 1)
            if part == protocol.magic:sub(1, #part) then
                return i - 1
            end
        end
    end
    return #text
end

-- Asks for the rest of a frame, or shows that it will not come.
local function wait_for_more(tvb, at, size, missing, pinfo, root)
    if pinfo.can_desegment > 0 and tvb:captured_len() == tvb:reported_len() then
        pinfo.desegment_offset = at
        pinfo.desegment_len = missing or DESEGMENT_ONE_MORE_SEGMENT
        return
    end
    local tree = root:add(tau, tvb(at, size - at), protocol.title .. ", part of a frame")
    tree:add(f.cut, tvb(at, size - at))
    tree:add_proto_expert_info(x_cut)
end

local function show_noise(tvb, at, size, root)
    local tree = root:add(tau, tvb(at, size), protocol.title .. ", no frame")
    tree:add(f.noise, tvb(at, size))
    tree:add(f.error_status, protocol.checks.magic):set_generated()
    tree:add_proto_expert_info(x_noise)
end

function tau.dissector(tvb, pinfo, root)
    local size = tvb:captured_len()
    local at = 0
    local words = {}
    pinfo.cols.protocol = protocol.title
    while at < size do
        local noise = noise_before_magic(tvb, at, math.min(size, at + protocol.header_size))
        if noise > 0 then
            show_noise(tvb, at, noise, root)
            words[#words + 1] = "no frame"
            at = at + noise
        elseif size - at < protocol.header_size then
            wait_for_more(tvb, at, size, nil, pinfo, root)
            at = size
        else
            local whole = frame_size(tvb, at)
            if size - at < whole then
                wait_for_more(tvb, at, size, whole - (size - at), pinfo, root)
                at = size
            else
                words[#words + 1] = show_frame(tvb, at, whole, pinfo, root)
                at = at + whole
            end
        end
    end
    if #words > 0 then
        pinfo.cols.info = table.concat(words, ", ")
    end
    return size
end

DissectorTable.get("tcp.port"):add(protocol.port, tau)

tau:register_heuristic("tcp", function(tvb, pinfo, root)
    local size = #protocol.magic
    if tvb:captured_len() < size or tvb:raw(0, size) ~= protocol.magic then
        return false
    end
    pinfo.conversation = tau
    tau.dissector(tvb, pinfo, root)
    return true
end)
