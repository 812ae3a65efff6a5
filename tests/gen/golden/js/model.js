// SPDX-License-Identifier: MIT
//
// The specification as tables: what the codec reads and the session goes by.
//
// Generated from the specification in protocol/ by gen/taugen; changes are lost.

/** The bytes of a frame header. */
export const HEADER_SIZE = 10;

/** The protocol itself. */
export const protocol = {
    name: 'tau',
    version: 1,
    fingerprint: 15389899888146544033n,
    defaultListen: '127.0.0.1:1',
    firstPush: 224,
    lastPush: 239,
};

/** The fields of the header. */
export const header = {
    magic: { offset: 0, size: 3, value: 'TAU' },
    version: { offset: 3, size: 1, value: 1 },
    opcode: { offset: 4, size: 1 },
    flags: { offset: 5, size: 1 },
    payload_length: { offset: 6, size: 4, limit: 1000 },
};

/** The status with which each check of a frame refuses. */
export const checks = {
    magic: 'bad_frame',
    version: 'bad_frame',
    opcode: 'bad_opcode',
    payload_limit: 'bad_frame',
    state: 'denied',
    flags: 'bad_frame',
    payload_length: 'invalid_payload',
};

/** The bits of the header's flags. */
export const flags = {
    more: 1,
};

/** The limits of the protocol. */
export const limits = {
    payload_bytes: { number: 1, value: 1000 },
    unauthenticated_payload_bytes: { number: 2, value: 40 },
    stream_frame_bytes: { number: 3, value: 200 },
    items: { number: 4, value: 10 },
};

/** The bits by which features are negotiated. */
export const features = {
    long_errors: 1n,
};

/** The statuses. Local ones never cross the wire. */
export const statuses = {
    success: { name: 'success', code: 0, class: 'ok', local: false, doc: 'Done.' },
    bad_frame: { name: 'bad_frame', code: 1, class: 'fatal', local: false, doc: 'A broken frame.' },
    bad_opcode: { name: 'bad_opcode', code: 2, class: 'fatal', local: false,
        doc: 'No such operation.' },
    denied: { name: 'denied', code: 3, class: 'fatal', local: false, doc: 'Say hello first.' },
    invalid_payload: { name: 'invalid_payload', code: 4, class: 'request', local: false,
        doc: 'A broken payload.' },
    unknown_outcome: { name: 'unknown_outcome', code: 5, class: 'unknown', local: false,
        doc: 'Perhaps it happened.' },
    timeout: { name: 'timeout', code: 256, class: 'retry', local: true, doc: 'Too late.' },
};

/** The types of the wire. */
export const types = {
    u8: { kind: 'integer', wire: 'u8', size: 1 },
    u16: { kind: 'integer', wire: 'u16', size: 2 },
    u32: { kind: 'integer', wire: 'u32', size: 4 },
    u64: { kind: 'integer', wire: 'u64', size: 8 },
    i64: { kind: 'integer', wire: 'i64', size: 8 },
    f64: { kind: 'float', wire: 'f64', size: 8 },
    bool: { kind: 'bool', wire: 'bool', size: 1 },
    status: { kind: 'status', wire: 'status', size: 1 },
    text: { kind: 'text', wire: 'text', size: 0 },
    bytes: { kind: 'blob', wire: 'bytes', size: 0 },
    label: { kind: 'bytes', wire: 'bytes[32]', size: 32 },
    moment: { kind: 'integer', wire: 'i64', size: 8 },
    pair: { kind: 'struct', wire: 'pair', size: 40, members: [{ key: 'key', type: 'label', offset: 0
        }, { key: 'moment', type: 'moment', offset: 32 }] },
    colour: { kind: 'enum', wire: 'u8', size: 1, open: false, values: [['red', 0], ['blue', 1]] },
    shade: { kind: 'enum', wire: 'u8', size: 1, open: true, values: [['light', 0], ['dark', 1]] },
    tint: { kind: 'struct', wire: 'tint', size: 10, members: [{ key: 'moment', type: 'moment',
        offset: 0 }, { key: 'colour', type: 'colour', offset: 8 }, { key: 'shade', type: 'shade',
        offset: 9 }] },
};

/** The payloads, by name. */
export const payloads = {
    hello_request: {
        minSize: 32, maxSize: 32, extensible: false,
        fields: [
            { number: 0, name: 'key', key: 'key', type: 'label', shape: 'fixed' },
        ],
    },
    hello_response: {
        minSize: 0, maxSize: 0, extensible: false,
        fields: [],
    },
    put_request: {
        minSize: 48, maxSize: 48, extensible: false,
        fields: [
            { number: 0, name: 'key', key: 'key', type: 'label', shape: 'fixed' },
            { number: 1, name: 'moment', key: 'moment', type: 'moment', shape: 'fixed' },
            { number: 2, name: 'weight', key: 'weight', bits: 'weightBits', type: 'f64',
                shape: 'fixed' },
        ],
    },
    put_response: {
        minSize: 0, maxSize: 0, extensible: false,
        fields: [],
    },
    get_request: {
        minSize: 4, maxSize: 1000, extensible: true,
        fields: [
            { number: 0, name: 'colour', key: 'colour', type: 'colour', shape: 'fixed' },
            { number: 1, name: 'exact', key: 'exact', type: 'bool', shape: 'fixed' },
            { number: 2, name: 'note', key: 'note', type: 'text', shape: 'sized', prefix: 1,
                maxBytes: 20 },
            { number: 3, name: 'after', key: 'after', type: 'moment', shape: 'optional' },
            { number: 4, name: 'reason', key: 'reason', type: 'text', shape: 'sized', prefix: 1,
                maxBytes: 12, tail: 'reason' },
        ],
    },
    get_response: {
        minSize: 11, maxSize: 1000, extensible: true,
        fields: [
            { number: 0, name: 'pair', key: 'pair', type: 'pair', shape: 'optional' },
            { number: 1, name: 'count', key: 'count', type: 'u16', shape: 'fixed', maximum: 10,
                counts: ['pairs'] },
            { number: 2, name: 'pairs', key: 'pairs', type: 'pair', shape: 'counted_array',
                maxCount: 10, countField: 'count' },
            { number: 3, name: 'latest', key: 'latest', type: 'moment', shape: 'fixed' },
            { number: 4, name: 'shade', key: 'shade', type: 'shade', shape: 'fixed', tail: 'shade'
                },
            { number: 5, name: 'rumour_count', key: 'rumourCount', type: 'u8', shape: 'fixed',
                maximum: 3, tail: 'rumour_count', counts: ['rumours'] },
            { number: 6, name: 'rumours', key: 'rumours', type: 'moment', shape: 'counted_array',
                maxCount: 3, tail: 'rumour_count', countField: 'rumour_count' },
        ],
    },
    walk_request: {
        minSize: 4, maxSize: 4, extensible: false,
        fields: [
            { number: 0, name: 'limit', key: 'limit', type: 'u32', shape: 'fixed', minimum: 1,
                maximum: 10 },
        ],
    },
    walk_response: {
        minSize: 0, maxSize: 80, extensible: false,
        fields: [
            { number: 0, name: 'moments', key: 'moments', type: 'moment', shape: 'rest_array',
                maxCount: 10 },
        ],
    },
    blend_request: {
        minSize: 12, maxSize: 132, extensible: false,
        fields: [
            { number: 0, name: 'ground', key: 'ground', type: 'tint', shape: 'fixed' },
            { number: 1, name: 'glaze', key: 'glaze', type: 'tint', shape: 'optional' },
            { number: 2, name: 'tint_count', key: 'tintCount', type: 'u8', shape: 'fixed',
                minimum: 1, maximum: 10, counts: ['tints', 'shades'] },
            { number: 3, name: 'tints', key: 'tints', type: 'tint', shape: 'counted_array',
                maxCount: 10, countField: 'tint_count' },
            { number: 4, name: 'shades', key: 'shades', type: 'shade', shape: 'counted_array',
                maxCount: 10, countField: 'tint_count' },
        ],
    },
    blend_response: {
        minSize: 0, maxSize: 10, extensible: false,
        fields: [
            { number: 0, name: 'colours', key: 'colours', type: 'colour', shape: 'rest_array',
                maxCount: 10 },
        ],
    },
    ok: {
        minSize: 0, maxSize: 0, extensible: false,
        fields: [],
    },
    err: {
        minSize: 1, maxSize: 43, extensible: false,
        fields: [
            { number: 0, name: 'status', key: 'status', type: 'status', shape: 'fixed' },
            { number: 1, name: 'text', key: 'text', type: 'text', shape: 'sized', prefix: 2,
                maxBytes: 40, tail: 'long_errors' },
        ],
    },
};

/** The operations, by name. */
export const operations = {
    HELLO: { name: 'HELLO', opcode: 1, method: 'hello', stream: false, write: false,
        negotiated: false, extensible: false, reply: 240, request: 'hello_request',
        response: 'hello_response', fingerprint: 6626249926685525284n },
    PUT: { name: 'PUT', opcode: 2, method: 'put', stream: false, write: true, negotiated: false,
        extensible: false, reply: 240, request: 'put_request', response: 'put_response',
        fingerprint: 5199527583148362886n },
    GET: { name: 'GET', opcode: 3, method: 'get', stream: false, write: false, negotiated: false,
        extensible: true, reply: 240, request: 'get_request', response: 'get_response',
        fingerprint: 9890876694710869995n },
    WALK: { name: 'WALK', opcode: 4, method: 'walk', stream: true, write: false, negotiated: true,
        extensible: false, reply: 240, request: 'walk_request', response: 'walk_response',
        fingerprint: 13152782651703292222n },
    BLEND: { name: 'BLEND', opcode: 5, method: 'blend', stream: false, write: false,
        negotiated: true, extensible: false, reply: 240, request: 'blend_request',
        response: 'blend_response', fingerprint: 11027606842682591918n },
};

/** The frames that only a server sends. */
export const replies = {
    OK: { opcode: 240, payload: 'ok' },
    ERR: { opcode: 255, payload: 'err' },
};

/** Every opcode that has a meaning. */
export const opcodes = new Set([1, 2, 3, 4, 5, 240, 255]);
