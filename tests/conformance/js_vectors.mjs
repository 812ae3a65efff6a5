// SPDX-License-Identifier: MIT
//
// Holds the JavaScript codec and session against the golden vectors. Every right payload is
// decoded, compared field by field, encoded again and cut at every byte; every wrong one must be
// refused with its status, field and offset. Every response goes through a session too, split at
// every point. The arguments are files of vectors of released versions: what was right then is read
// as it was then; what was wrong may have become right, as an opcode or a bound that was added since.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Outcome, alike, asJson, load, model, negotiated, unfold, vectors }
    from './js_support.mjs';

const { decode, decodeHeader } = await load('decode');
const { encode, putHeader } = await load('encode');
const { TauDecodeError, TauProtocolError, TauServerError } = await load('errors');

const { HEADER_SIZE, opcodes, operations, payloads, types } = model;
const SPLIT_SIZE = 600; // larger frames go through the session in one piece

const HEADERS = ({ header }) => header !== undefined;
const RIGHT = ({ frame, status }) => frame !== undefined && status === undefined;
const WRONG = ({ frame, status }) => frame !== undefined && status !== undefined;

const all = vectors();
const frames = all.filter((vector) => !HEADERS(vector));

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
    } else if (!(released && vector.status === 'bad_opcode' && opcodes.has(bytes[4]))) {
        assert.throws(() => decodeHeader(bytes), (error) => error instanceof TauDecodeError &&
            error.status === vector.status && error.offset === vector.offset, vector.name);
    }
    for (let size = 0; size < HEADER_SIZE; size++) {
        assert.throws(() => decodeHeader(bytes.subarray(0, size)), TauDecodeError);
    }
}

test('headers', () => {
    const headers = all.filter(HEADERS);
    assert(headers.length > 200);
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
    for (const field of payloads[name].fields) {
        if (field.bits && other[field.key] !== null) {
            delete other[field.key];
        } else if (other[field.key] instanceof Float64Array) {
            const { buffer, byteOffset, length } = other[field.key];
            other[field.key] = new BigUint64Array(buffer, byteOffset, length);
        } else if (field.shape.endsWith('array') && value[field.key] !== null) {
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
    assert(right.length > 200 && right.some((vector) => vector.extra !== undefined));
    right.forEach((vector) => checkRight(vector));
});

test('wrong payloads', () => {
    const wrong = all.filter(WRONG);
    assert(wrong.length > 60);
    wrong.forEach((vector) => checkWrong(vector));
});

for (const path of process.argv.slice(2)) {
    test(`the vectors of ${path}`, () => {
        const then = vectors(path);
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
    for (const vector of frames.filter(({ name }) => name.endsWith('/example'))) {
        const payload = Buffer.from(unfold(vector.frame).subarray(HEADER_SIZE));
        const value = decode(vector.payload, payload);
        payload.fill(0xee);
        assert.deepEqual(asJson(vector.payload, value), vector.fields, vector.name);
    }
});

// --- the session -----------------------------------------------------------------------------

const requests = new Map(frames.filter(({ name }) => /_request\/example$/.test(name))
    .map((vector) => [vector.payload, vector]));

/** A session that waits for the answer to an operation, its request compared with the golden. */
function asked(operation) {
    const session = negotiated();
    const outcome = new Outcome();
    const golden = requests.get(operation.request);
    const value = golden ? decode(golden.payload, unfold(golden.frame).subarray(HEADER_SIZE)) : {};
    session.request(operation, value, outcome);
    const sent = session.takeOutput();
    assert(!golden || Buffer.from(sent).equals(unfold(golden.frame)), operation.name);
    return { session, outcome };
}

function answered(operation, frame, cuts) {
    const { session, outcome } = asked(operation);
    let from = 0;
    for (const cut of [...cuts, frame.length]) {
        session.receive(frame.subarray(from, cut));
        from = cut;
    }
    return { session, outcome };
}

function checkAnswer(vector, operation, { session, outcome }) {
    const { status, field } = vector;
    assert.equal(outcome.ends, 1, vector.name);
    if (status !== undefined) {
        const error = operation.write ? outcome.error.cause : outcome.error;
        assert.equal(outcome.error.outcomeUnknown, operation.write, vector.name);
        assert(error instanceof TauProtocolError, vector.name);
        assert(session.ended || error.cause.field === field, vector.name);
        return;
    }
    const value = operation.stream ? outcome.batches[0] : outcome.value;
    assert.deepEqual(asJson(vector.payload, value), vector.fields, vector.name);
    assert.equal(session.ended, false);
}

test('responses through a session, split at every point', () => {
    for (const operation of Object.values(operations)) {
        for (const vector of frames.filter(({ payload }) => payload === operation.response)) {
            const frame = unfold(vector.frame);
            checkAnswer(vector, operation, answered(operation, frame, []));
            for (let cut = 1; frame.length <= SPLIT_SIZE && cut < frame.length; cut++) {
                checkAnswer(vector, operation, answered(operation, frame, [cut]));
            }
        }
    }
});

test('responses through a session, byte by byte', () => {
    for (const operation of Object.values(operations)) {
        const vector = frames.find(({ name }) => name === `${operation.response}/example`);
        if (vector) {
            const frame = unfold(vector.frame);
            const every = Array.from({ length: frame.length - 1 }, (_, i) => i + 1);
            checkAnswer(vector, operation, answered(operation, frame, every));
        }
    }
});

test('errors through a session', () => {
    for (const vector of frames.filter(({ payload }) => payload === 'err')) {
        const { session, outcome } = answered(operations.APPEND, unfold(vector.frame), []);
        const right = vector.status === undefined && vector.fields.status !== 'success';
        assert.equal(outcome.ends, 1, vector.name);
        assert.equal(session.ended, !right, vector.name);
        if (right) {
            assert(outcome.error instanceof TauServerError, vector.name);
            assert.equal(outcome.error.status, vector.fields.status, vector.name);
            assert.equal(outcome.error.offset, vector.fields.offset, vector.name);
        }
    }
});
