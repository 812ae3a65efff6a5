// SPDX-License-Identifier: MIT
//
// Holds the JavaScript codec and session against the golden vectors. Every right payload is
// decoded, compared field by field, encoded again and cut at every byte; every wrong one must be
// refused with its status, field and offset. Every response goes through a session too, split at
// every point.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Outcome, asJson, load, model, negotiated, unfold, vectors } from './js_support.mjs';

const { decode, decodeHeader } = await load('decode');
const { encode, putHeader } = await load('encode');
const { TauDecodeError, TauProtocolError, TauServerError } = await load('errors');

const { HEADER_SIZE, operations, payloads, types } = model;
const SPLIT_SIZE = 600; // larger frames go through the session in one piece

const all = vectors();
const headers = all.filter((vector) => vector.header !== undefined);
const frames = all.filter((vector) => vector.frame !== undefined);

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

test('headers', () => {
    assert(headers.length > 200);
    for (const vector of headers) {
        const bytes = unfold(vector.header);
        if (vector.status === undefined) {
            const { opcode, flags, payload_length: payloadLength } = vector.fields;
            assert.deepEqual(decodeHeader(bytes), { opcode, flags, payloadLength }, vector.name);
            const stored = new Uint8Array(HEADER_SIZE);
            putHeader(stored, { opcode, flags, payloadLength });
            assert.deepEqual(stored, bytes, vector.name);
        } else {
            assert.throws(() => decodeHeader(bytes), (error) => error instanceof TauDecodeError &&
                error.status === vector.status && error.offset === vector.offset, vector.name);
        }
        for (let size = 0; size < HEADER_SIZE; size++) {
            assert.throws(() => decodeHeader(bytes.subarray(0, size)), TauDecodeError);
        }
    }
});

// --- payloads --------------------------------------------------------------------------------

function checkCuts(vector, payload) {
    let size = 0;
    for (const [field, times] of vector.cuts ?? []) {
        for (let i = 0; i < times; i++) {
            const refused = refusal(vector.payload, payload.subarray(0, size));
            const wanted = field === null ? null
                : { status: 'invalid_payload', field, offset: size };
            assert.deepEqual(refused, wanted, `${vector.name}, cut to ${size} bytes`);
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

function checkRight(vector) {
    const frame = unfold(vector.frame);
    const payload = frame.subarray(HEADER_SIZE);
    assert.equal(decodeHeader(frame).payloadLength, payload.length, vector.name);
    const value = decode(vector.payload, payload);
    assert.deepEqual(asJson(vector.payload, value), vector.fields, vector.name);
    const known = payload.subarray(0, payload.length - (vector.extra ?? 0));
    for (const form of [value, otherForm(vector.payload, value)]) {
        assert(Buffer.from(encode(vector.payload, form)).equals(known), vector.name);
    }
    checkCuts(vector, payload);
}

test('right payloads', () => {
    const right = frames.filter((vector) => vector.status === undefined);
    assert(right.length > 200 && right.some((vector) => vector.extra !== undefined));
    right.forEach(checkRight);
});

test('wrong payloads', () => {
    const wrong = frames.filter((vector) => vector.status !== undefined);
    assert(wrong.length > 60);
    for (const { name, payload, frame, status, field, offset } of wrong) {
        const refused = refusal(payload, unfold(frame).subarray(HEADER_SIZE));
        assert.deepEqual(refused, { status, field, offset }, name);
    }
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
