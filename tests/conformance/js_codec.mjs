// SPDX-License-Identifier: MIT
//
// Holds the JavaScript codec against the golden vectors, whatever specification they are of. Every
// right payload is decoded, compared field by field, encoded again and cut at every byte; every
// wrong one must be refused with its status, field and offset. The arguments are files of vectors
// of released versions: what was right then is read as it was then; what was wrong may have become
// right, as an opcode or a bound that was added since. Of a version whose header bears another
// number nothing is read.
import assert from 'node:assert/strict';
import test from 'node:test';

import { alike, asJson, load, model, unfold, vectors } from './js_support.mjs';

const { decode, decodeHeader } = await load('decode');
const { encode, putHeader } = await load('encode');
const { TauDecodeError } = await load('errors');

const { HEADER_SIZE, checks, opcodes, payloads, types } = model;

const HEADERS = ({ header }) => header !== undefined;
const RIGHT = ({ frame, status }) => frame !== undefined && status === undefined;
const WRONG = ({ frame, status }) => frame !== undefined && status !== undefined;

const all = vectors();

function refusal(name, bytes) {
    try {
        decode(name, bytes);
    } catch (error) {
        assert(error instanceof TauDecodeError, error);
        return { status: error.status, field: error.field, offset: error.offset };
    }
    return null;
}

// --- headers ---------------------------------------------------------------------------------

function checkHeader(vector, released = false) {
    const bytes = unfold(vector.header);
    if (vector.status === undefined) {
        const { opcode, flags, payload_length: payloadLength } = vector.fields;
        assert.deepEqual(decodeHeader(bytes), { opcode, flags, payloadLength }, vector.name);
        const stored = new Uint8Array(HEADER_SIZE);
        putHeader(stored, { opcode, flags, payloadLength });
        assert.deepEqual(stored, bytes, vector.name);
    } else if (!(released && vector.status === checks.opcode && opcodes.has(bytes[4]))) {
        assert.throws(() => decodeHeader(bytes), (error) => error instanceof TauDecodeError &&
            error.status === vector.status && error.offset === vector.offset, vector.name);
    }
    for (let size = 0; size < HEADER_SIZE; size++) {
        assert.throws(() => decodeHeader(bytes.subarray(0, size)), TauDecodeError);
    }
}

test('headers', () => {
    const headers = all.filter(HEADERS);
    assert(headers.length > 200); // each opcode, and each that is none
    headers.forEach((vector) => checkHeader(vector));
});

// --- payloads --------------------------------------------------------------------------------

function checkRefusal(vector, payload, wanted, released) {
    const refused = refusal(vector.payload, payload);
    if (refused !== null || !released) {
        assert.deepEqual(refused, wanted, `${vector.name}, ${payload.length} bytes`);
    }
}

function checkCuts(vector, payload, released) {
    let size = 0;
    for (const [field, times] of vector.cuts ?? []) {
        for (let i = 0; i < times; i++) {
            const wanted = field === null ? null
                : { status: 'invalid_payload', field, offset: size };
            checkRefusal(vector, payload.subarray(0, size), wanted, released);
            size++;
        }
    }
    assert(vector.cuts === undefined || size === payload.length, vector.name);
}

/** The same value in the other forms that are taken: arrays of values, bits in place of numbers. */
function otherForm(name, value) {
    const other = { ...value };
    for (const field of payloads[name].fields.filter(({ key }) => (value[key] ?? null) !== null)) {
        if (field.bits) {
            delete other[field.key];
        } else if (other[field.key] instanceof Float64Array) {
            const { buffer, byteOffset, length } = other[field.key];
            other[field.key] = new BigUint64Array(buffer, byteOffset, length);
        } else if (field.shape.endsWith('array')) {
            other[field.key] = Array.from(value[field.key]);
        } else if (types[field.type].wire === 'i64' || types[field.type].wire === 'u64') {
            const number = Number(value[field.key]);
            other[field.key] = Number.isSafeInteger(number) ? number : value[field.key];
        }
    }
    return other;
}

function checkRight(vector, released = false) {
    if (released && vector.extra) {
        return; // bytes of no version: one that came since may read them
    }
    const frame = unfold(vector.frame);
    const payload = frame.subarray(HEADER_SIZE);
    assert.equal(decodeHeader(frame).payloadLength, payload.length, vector.name);
    const value = decode(vector.payload, payload);
    const read = asJson(vector.payload, value);
    if (!released || !alike(vector.fields, read)) {
        assert.deepEqual(read, vector.fields, vector.name);
    }
    const known = payload.subarray(0, payload.length - (vector.extra ?? 0));
    for (const form of [value, otherForm(vector.payload, value)]) {
        assert(Buffer.from(encode(vector.payload, form)).equals(known), vector.name);
    }
    checkCuts(vector, payload, released);
}

function checkWrong(vector, released = false) {
    const { status, field, offset } = vector;
    checkRefusal(vector, unfold(vector.frame).subarray(HEADER_SIZE), { status, field, offset },
        released);
}

test('right payloads', () => {
    const right = all.filter(RIGHT);
    assert(right.some((vector) => vector.extra !== undefined));
    assert(Object.keys(payloads).every((name) => payloads[name].fields.length === 0 ||
        right.some(({ payload }) => payload === name)));
    right.forEach((vector) => checkRight(vector));
});

test('wrong payloads', () => {
    const wrong = all.filter(WRONG);
    assert(wrong.length > 20);
    wrong.forEach((vector) => checkWrong(vector));
});

const VERSION_AT = 3;

/** Every frame of a version with another header is refused, whatever is in it. */
function checkRefused(then, version) {
    const frames = then.map(({ header, frame }) => unfold(header ?? frame)).filter((bytes) =>
        Buffer.from(bytes.subarray(0, VERSION_AT)).toString() === 'TAU' &&
        bytes[VERSION_AT] === version);
    assert(frames.length > 100);
    for (const bytes of frames) {
        assert.throws(() => decodeHeader(bytes), (error) => error instanceof TauDecodeError &&
            error.status === 'bad_version' && error.offset === VERSION_AT);
    }
}

for (const path of process.argv.slice(2)) {
    test(`the vectors of ${path}`, () => {
        const then = vectors(path);
        const version = unfold(then[0].header)[VERSION_AT];
        if (version !== model.protocol.version) {
            checkRefused(then, version);
            return;
        }
        for (const [which, check] of [[HEADERS, checkHeader], [RIGHT, checkRight],
            [WRONG, checkWrong]]) {
            const some = then.filter(which);
            assert(some.length > 0);
            some.forEach((vector) => check(vector, true));
        }
    });
}

test('what an older version may have read otherwise', () => {
    const was = { a: 1, rows: [{ shade: 7 }] };
    assert(alike(was, { a: 1, rows: [{ shade: 'dark' }], since: null }));
    for (const now of [{ a: 2, rows: [{ shade: 7 }] }, { rows: [{ shade: 7 }] }, { a: 1, rows: [] },
        { a: 1, rows: [{ shade: 8 }] }, { a: 1, rows: [{ shade: 7 }], since: 0 }]) {
        assert(!alike(was, now));
    }
    assert(!alike({ shade: 'dark' }, { shade: 7 }));
});

test('what is decoded shares no memory', () => {
    for (const vector of all.filter(({ name }) => name.endsWith('/example'))) {
        const payload = Buffer.from(unfold(vector.frame).subarray(HEADER_SIZE));
        const value = decode(vector.payload, payload);
        payload.fill(0xee);
        assert.deepEqual(asJson(vector.payload, value), vector.fields, vector.name);
    }
});
