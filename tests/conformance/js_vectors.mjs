// SPDX-License-Identifier: MIT
//
// Holds the JavaScript session against the golden vectors: every response goes through one, split
// at every point, and every error. The codec alone is held against them by js_codec.mjs.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Outcome, asJson, load, model, negotiated, unfold, vectors } from './js_support.mjs';

const { decode } = await load('decode');
const { TauProtocolError, TauServerError } = await load('errors');

const { HEADER_SIZE, operations } = model;
const SPLIT_SIZE = 600; // larger frames go through the session in one piece

const frames = vectors().filter(({ frame }) => frame !== undefined);

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
