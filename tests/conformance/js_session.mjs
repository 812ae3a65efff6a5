// SPDX-License-Identifier: MIT
//
// The JavaScript session against peers that are right, wrong and hostile, without any connection:
// order, pipelining, streams, CANCEL, what is offered, outcomes that are unknown. Whatever is
// received, nothing is thrown, every request ends exactly once, and only with the package's errors.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Outcome, load, model, negotiated, welcome } from './js_support.mjs';

const { encode, encodeFrame } = await load('encode');
const { TauArgumentError, TauConnectionError, TauError, TauProtocolError, TauServerError } =
    await load('errors');
const { bitsOf, bitsView, labelText, numberOf } = await load('codec');
const { validUtf8 } = await load('bytes');
const { Session } = await load('session');

const { flags, operations, payloads, replies, statuses } = model;
const RANGE = { label: 's', from: 0n, to: 9n, limit: 0n, direction: 'forward' };
const POINT = { label: 's', timestamp: 1n };
const WELCOME = welcome();

function ok(payload = null, value = {}, bits = 0) {
    return encodeFrame(replies.OK.opcode, payload ?? 'append_response', value, bits);
}

function err(status) {
    return encodeFrame(replies.ERR.opcode, 'err', { status });
}

function found(value) {
    return ok('query_point_response', { value });
}

function batch(count, bits = 0) {
    const timestamps = BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
    return ok('query_range_response', { timestamps, values: new Float64Array(count) }, bits);
}

function send(session, operation, value) {
    const outcome = new Outcome();
    outcome.entry = session.request(operation, value, outcome);
    return outcome;
}

function receive(session, ...parts) {
    parts.forEach((part) => session.receive(part));
}

// --- order -----------------------------------------------------------------------------------

test('answers belong to the requests in their order', () => {
    const session = negotiated();
    const first = send(session, operations.QUERY_POINT, POINT);
    const second = send(session, operations.APPEND, { ...POINT, value: 1 });
    const third = send(session, operations.QUERY_POINT, POINT);
    assert.equal(session.takeOutput().length, 50 + 58 + 50);
    assert.equal(session.takeOutput(), null);
    receive(session, Buffer.concat([found(1.5), err('out_of_order'), found(null)]));
    assert.equal(first.value.value, 1.5);
    assert(second.error instanceof TauServerError);
    assert.equal(second.error.status, 'out_of_order');
    assert.equal(second.error.operation, 'APPEND');
    assert.deepEqual(third.value, { value: null, valueBits: null });
    assert(!session.ended);
});

test('a stream ends with the first frame without MORE', () => {
    const session = negotiated();
    const stream = send(session, operations.QUERY_RANGE, RANGE);
    const behind = send(session, operations.QUERY_POINT, POINT);
    session.takeOutput();
    receive(session, batch(2, flags.more), batch(3, flags.more), batch(0), found(2));
    assert.deepEqual(stream.batches.map(({ values }) => values.length), [2, 3, 0]);
    assert.equal(stream.ends, 1);
    assert.equal(behind.value.value, 2);
});

test('a stream may end with an error at any point', () => {
    const session = negotiated();
    const stream = send(session, operations.QUERY_RANGE, RANGE);
    session.takeOutput();
    receive(session, batch(2, flags.more), err('cancelled'));
    assert.equal(stream.batches.length, 1);
    assert.equal(stream.error.status, 'cancelled');
    assert(!session.ended);
});

test('frames that are pushed are passed over', () => {
    const session = negotiated();
    const point = send(session, operations.QUERY_POINT, POINT);
    session.takeOutput();
    const push = encodeFrame(0xe5, 'specification_response', { document: new Uint8Array(300) });
    receive(session, push.subarray(0, 100), push.subarray(100), found(3));
    assert.equal(point.value.value, 3);
});

test('a stream is cancelled where no further request may be made', () => {
    const session = negotiated(WELCOME, { maxRequests: 1 });
    const stream = send(session, operations.QUERY_RANGE, RANGE);
    session.takeOutput();
    assert.throws(() => send(session, operations.QUERY_POINT, POINT), { status: 'would_block' });
    session.stop(stream.entry, new TauError('cancelled'));
    assert.equal(session.takeOutput()[4], operations.CANCEL.opcode);
    receive(session, err('cancelled'), ok());
    assert.equal(send(session, operations.QUERY_POINT, POINT).ends, 0);
});

test('a server whose CANCEL is another is not asked for it', () => {
    const session = negotiated(welcome((operation) => (operation.name === 'CANCEL'
        ? { ...operation, fingerprint: 1n } : operation)));
    const stream = send(session, operations.QUERY_RANGE, RANGE);
    session.takeOutput();
    session.stop(stream.entry, new TauError('cancelled'));
    assert.equal(session.takeOutput(), null);
    assert.equal(stream.error.status, 'cancelled');
});

test('a stream that is stopped alone is cancelled, one among other reads is passed over', () => {
    for (const alone of [true, false]) {
        const session = negotiated();
        const stream = send(session, operations.QUERY_RANGE, RANGE);
        const other = alone ? null : send(session, operations.QUERY_POINT, POINT);
        session.takeOutput();
        session.stop(stream.entry, new TauError('cancelled'));
        const sent = session.takeOutput();
        assert.equal(stream.error.status, 'cancelled');
        assert.equal(sent?.[4], alone ? operations.CANCEL.opcode : undefined);
        receive(session, batch(2, flags.more), alone ? err('cancelled') : batch(1),
            alone ? ok() : found(1));
        assert(!session.ended);
        assert.equal(stream.batches.length, 0);
        assert.equal(other?.value.value, alone ? undefined : 1);
    }
});

// --- what is offered -------------------------------------------------------------------------

test('only what differs is refused, by name', () => {
    const session = negotiated(welcome((operation) => {
        if (operation.name === 'QUERY_RANGE') {
            return null;
        }
        const differs = ['QUERY_LATEST', 'DESCRIBE_SERIES'].includes(operation.name);
        return { ...operation, fingerprint: operation.fingerprint ^ (differs ? 1n : 0n) };
    }));
    const refusals = Object.values(operations).map((one) => session.refusal(one)).filter(Boolean);
    assert.deepEqual(refusals.map(({ status, operation }) => [status, operation]),
        [['layout_mismatch', 'DESCRIBE_SERIES'], ['not_supported', 'QUERY_RANGE'],
            ['layout_mismatch', 'QUERY_LATEST']]);
    assert.match(refusals[2].message, /QUERY_LATEST/);
    assert.throws(() => send(session, operations.QUERY_RANGE, RANGE),
        (error) => error.status === 'not_supported');
    assert.equal(session.takeOutput(), null);
});

test('without NEGOTIATE there is what version 1 had from its first day', () => {
    const session = new Session();
    for (const operation of Object.values(operations)) {
        assert.equal(session.refusal(operation)?.status,
            operation.negotiated ? 'not_supported' : undefined, operation.name);
    }
});

test('what the server said is kept', () => {
    const { server } = negotiated();
    assert.equal(server.name, 'test');
    assert.equal(server.specification, model.protocol.fingerprint);
    assert.equal(server.limits.lenses, BigInt(model.limits.lenses.value));
    assert.equal(server.operations.get(operations.APPEND.opcode), operations.APPEND.fingerprint);
});

test('what is no frame is noticed at its first wrong byte', () => {
    for (const [text, ends] of [['T', false], ['TA', false], ['H', true], ['TAX', true],
        ['TAU', false], ['TAU\xfe', true]]) {
        const session = negotiated();
        const told = send(session, operations.QUERY_POINT, POINT);
        session.takeOutput();
        session.receive(Buffer.from(text, 'latin1'));
        assert.deepEqual([session.ended, told.ends], [ends, ends ? 1 : 0], text);
        assert(!ends || told.error instanceof TauProtocolError, text);
    }
});

test('a server cannot write to a terminal', () => {
    const session = negotiated();
    const told = send(session, operations.APPEND, { ...POINT, value: 1 });
    session.takeOutput();
    const text = 'a\x1b[2J\x9b\n\u202e\u00e9';
    session.receive(encodeFrame(replies.ERR.opcode, 'err',
        { status: 'throttled', field: 0xffff, offset: 0, text }));
    assert.equal(told.error.message, 'a\\u{1b}[2J\\u{9b}\\u{a}\\u{202e}\u00e9');
    assert.equal(told.error.detail, text);
});

test('a detailed error is only read where it was agreed', () => {
    const detailed = encodeFrame(replies.ERR.opcode, 'err',
        { status: 'invalid_payload', field: 1, offset: 32, text: 'no such time' });
    const session = negotiated();
    const told = send(session, operations.QUERY_POINT, POINT);
    session.takeOutput();
    session.receive(detailed);
    assert.deepEqual([told.error.field, told.error.fieldName, told.error.offset, told.error.detail],
        [1, 'timestamp', 32, 'no such time']);
    assert.equal(told.error.message, 'no such time');
    const plain = new Session();
    const outcome = send(plain, operations.QUERY_POINT, POINT);
    plain.takeOutput();
    plain.receive(detailed);
    assert(outcome.error instanceof TauProtocolError && plain.ended);
});

test('an unknown status fails its request only', () => {
    const session = negotiated();
    const point = send(session, operations.QUERY_POINT, POINT);
    session.takeOutput();
    session.receive(err(0x7e));
    assert.equal(point.error.status, 0x7e);
    assert.equal(point.error.code, 0x7e);
    assert.deepEqual([point.error.fatal, point.error.retryable], [false, false]);
    assert(!session.ended);
});

// --- ends ------------------------------------------------------------------------------------

test('a write that was sent has an unknown outcome, one that was not has none', () => {
    const session = negotiated();
    const read = send(session, operations.QUERY_POINT, POINT);
    const sent = send(session, operations.APPEND, { ...POINT, value: 1 });
    session.takeOutput();
    const unsent = send(session, operations.APPEND, { ...POINT, value: 2 });
    session.end(new TauConnectionError('connection_lost', 'gone'));
    assert.deepEqual([read, sent, unsent].map(({ error }) => error.status),
        ['connection_lost', 'outcome_unknown', 'connection_lost']);
    assert.deepEqual([read, sent, unsent].map(({ error }) => error.outcomeUnknown),
        [false, true, false]);
    assert.equal(sent.error.cause.status, 'connection_lost');
    assert.equal(session.failure.message, 'gone');
    assert.throws(() => send(session, operations.PING, {}), TauConnectionError);
});

test('a request that is given up keeps its place, unless it was not sent', () => {
    const session = negotiated();
    const first = send(session, operations.QUERY_POINT, POINT);
    session.takeOutput();
    const unsent = send(session, operations.APPEND, { ...POINT, value: 1 });
    session.abandon(unsent.entry, new TauError('timeout'));
    session.abandon(first.entry, new TauError('timeout'));
    assert.equal(unsent.error.status, 'timeout');
    assert.equal(session.takeOutput(), null);
    const second = send(session, operations.QUERY_POINT, POINT);
    session.takeOutput();
    receive(session, found(1), found(2));
    assert.deepEqual([first.ends, first.value, second.value.value], [1, undefined, 2]);
});

test('DISCONNECT ends without a failure', () => {
    const session = negotiated();
    const bye = send(session, operations.DISCONNECT, {});
    session.takeOutput();
    session.receive(ok());
    session.end(new TauConnectionError('connection_lost'));
    assert.deepEqual([bye.ends, bye.error, session.ended, session.failure], [1, null, true, null]);
});

test('the requests that wait are bounded', () => {
    const few = new Session({ maxRequests: 2 });
    send(few, operations.PING, {});
    send(few, operations.PING, {});
    assert.throws(() => send(few, operations.PING, {}), (error) => error.status === 'would_block' &&
        error.retryable);
    few.takeOutput();
    few.receive(encodeFrame(replies.PONG.opcode, 'pong', {}));
    send(few, operations.PING, {});
    const small = new Session({ maxBytes: 100 });
    send(small, operations.PING, { ignored: new Uint8Array(80) });
    assert.throws(() => send(small, operations.PING, { ignored: new Uint8Array(1) }),
        (error) => error.status === 'would_block');
    const pong = encodeFrame(replies.PONG.opcode, 'pong', {});
    const busy = new Session({ maxBytes: 100 });
    for (let i = 0; i < 20; i++) {
        const ping = send(busy, operations.PING, { ignored: new Uint8Array(60) });
        busy.takeOutput();
        busy.receive(pong);
        const unsent = send(busy, operations.PING, { ignored: new Uint8Array(60) });
        busy.abandon(unsent.entry, new TauError('timeout'));
        assert.equal(ping.error, null);
    }
});

// --- what a server must not send -------------------------------------------------------------

const point = found(1);
const BREACHES = {
    'an answer to no request': [[], point],
    'an answer of another kind': [['QUERY_POINT'], encodeFrame(replies.PONG.opcode, 'pong', {})],
    'a request': [['QUERY_POINT'], encodeFrame(operations.PING.opcode, 'ping_request', {})],
    'an opcode that is none': [['QUERY_POINT'], encodeFrame(0x99, 'pong', {})],
    'MORE on what is no stream': [['QUERY_POINT'], ok('query_point_response', { value: 1 }, 1)],
    'an unknown flag': [['QUERY_RANGE'], batch(1, 2)],
    'a frame of a stream that is too long': [['QUERY_RANGE'], header(replies.OK.opcode, 65527)],
    'an answer that is too long': [['QUERY_POINT'], header(replies.OK.opcode, 10)],
    'a frame above 4 MiB': [['LIST_LENSES'], header(replies.OK.opcode, 4194305)],
    'another magic': [['QUERY_POINT'], changed(point, 2, 0x56)],
    'another version': [['QUERY_POINT'], changed(point, 3, 2)],
    'an empty error': [['QUERY_POINT'], header(replies.ERR.opcode, 0)],
    'an error that is too long': [['QUERY_POINT'], header(replies.ERR.opcode, 522)],
    'an error that succeeds': [['QUERY_POINT'], err('success')],
    'an error with a flag': [['QUERY_POINT'], encodeFrame(replies.ERR.opcode, 'err',
        { status: 'throttled' }, 1)],
};

function changed(bytes, at, to) {
    return Uint8Array.from(bytes, (byte, i) => (i === at ? to : byte));
}

function header(opcode, length) {
    const frame = encodeFrame(opcode, 'pong', {});
    new DataView(frame.buffer).setUint32(6, length);
    return frame;
}

const VALUES = { QUERY_POINT: POINT, QUERY_RANGE: RANGE, LIST_LENSES: {} };

for (const [what, [names, bytes]] of Object.entries(BREACHES)) {
    test(`${what} ends the session`, () => {
        const session = negotiated();
        const outcomes = names.map((name) => send(session, operations[name], VALUES[name]));
        session.takeOutput();
        session.receive(bytes);
        assert(session.ended);
        assert(session.failure instanceof TauProtocolError, session.failure);
        assert(outcomes.every(({ ends, error }) => ends === 1 && error === session.failure));
    });
}

test('an answer before its request was sent ends the session', () => {
    const session = negotiated();
    const early = send(session, operations.QUERY_POINT, POINT);
    session.receive(point);
    assert(session.failure instanceof TauProtocolError);
    assert.equal(early.error, session.failure);
});

test('an error nobody asked for is why the session ends', () => {
    const session = negotiated();
    session.receive(err('too_many_connections'));
    assert(session.failure instanceof TauServerError);
    assert.equal(session.failure.status, 'too_many_connections');
});

test('an answer that cannot be read fails its request alone', () => {
    const session = negotiated();
    const bad = send(session, operations.QUERY_POINT, POINT);
    const stream = send(session, operations.QUERY_RANGE, RANGE);
    const good = send(session, operations.QUERY_POINT, POINT);
    session.takeOutput();
    const torn = batch(2, flags.more);
    torn[13] = 3; // the count
    receive(session, changed(point, 10, 2), torn, batch(1),
        found(4));
    assert(bad.error instanceof TauProtocolError && stream.error instanceof TauProtocolError);
    assert.equal(bad.error.cause.field, 0);
    assert.equal(good.value.value, 4);
    assert(!session.ended);
});

/** A small generator of numbers, the same each time. */
function numbers(seed) {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor(state / 2 ** 32 * below);
    };
}

test('random damage is answered with nothing but errors of the package', () => {
    const next = numbers(7);
    const answers = [found(1), batch(5, flags.more), batch(3), err('throttled'), ok(),
        encodeFrame(replies.ERR.opcode, 'err',
            { status: 'out_of_order', field: 0, offset: 9, text: 'text' })];
    const seen = new Set();
    for (let round = 0; round < 20000; round++) {
        const session = negotiated(WELCOME);
        const outcomes = [
            send(session, operations.QUERY_POINT, POINT),
            send(session, operations.QUERY_RANGE, RANGE),
            send(session, operations.APPEND, { ...POINT, value: 1 }),
            send(session, operations.NEGOTIATE, { features: 1, specification: 1 }),
        ];
        session.takeOutput();
        const bytes = Buffer.concat(Array.from({ length: 4 }, () => answers[next(answers.length)]));
        for (let i = next(4); i > 0; i--) {
            bytes[next(bytes.length)] = next(256);
        }
        const cut = next(bytes.length);
        receive(session, bytes.subarray(0, cut), bytes.subarray(cut, cut + next(bytes.length)));
        session.end(new TauConnectionError('connection_lost'));
        for (const { ends, error } of outcomes) {
            assert.equal(ends, 1);
            assert(error === null || error instanceof TauError);
            seen.add(error?.constructor.name);
        }
    }
    assert(seen.size >= 5, [...seen].join());
});

// --- arguments -------------------------------------------------------------------------------

const REFUSED = {
    'no request': ['QUERY_POINT', null],
    'no label': ['QUERY_POINT', { timestamp: 1n }],
    'a label that is too long': ['QUERY_POINT', { label: 'x'.repeat(33), timestamp: 1n }],
    'a label of another size': ['QUERY_POINT', { label: new Uint8Array(31), timestamp: 1n }],
    'half a surrogate pair': ['QUERY_POINT', { label: '\ud834', timestamp: 1n }],
    'a number that is not exact': ['QUERY_POINT', { label: 's', timestamp: 2 ** 53 }],
    'a fraction': ['QUERY_POINT', { label: 's', timestamp: 1.5 }],
    'a number beyond 64 bits': ['QUERY_POINT', { label: 's', timestamp: 1n << 63n }],
    'a number below 0': ['QUERY_RANGE', { ...RANGE, limit: -1 }],
    'an unknown direction': ['QUERY_RANGE', { ...RANGE, direction: 'sideways' }],
    'the number of no direction': ['QUERY_RANGE', { ...RANGE, direction: 2 }],
    'no value': ['APPEND', POINT],
    'a value that is text': ['APPEND', { ...POINT, value: '1' }],
    'bits beyond 64': ['APPEND', { ...POINT, valueBits: 1n << 64n }],
    'columns of two lengths': ['BATCH_APPEND', { label: 's', timestamps: [1n], values: [1, 2] }],
    'no column': ['BATCH_APPEND', { label: 's', timestamps: 1, values: 2 }],
    'rows that are none': ['MULTI_APPEND', { rows: [null] }],
    'a limit above the most': ['LIST_SERIES', { limit: 1 + model.limits.list_page.value }],
    'too many points': ['BATCH_APPEND', {
        label: 's', timestamps: new BigInt64Array(262142), values: new Float64Array(262142),
    }],
    'too many bytes': ['PING', { ignored: new Uint8Array(4194305) }],
    'a name that is too long': ['NEGOTIATE',
        { features: 0, specification: 0, clientName: 'x'.repeat(65) }],
};

for (const [what, [name, value]] of Object.entries(REFUSED)) {
    test(`${what} is refused before anything is sent`, () => {
        const session = negotiated();
        assert.throws(() => send(session, operations[name], value), TauArgumentError);
        assert.equal(session.takeOutput(), null);
    });
}

test('bits are exact, and a NaN without them is the quiet one', () => {
    for (const bits of [0x7ff0000000000001n, 0xfff8deadbeef0001n, 0x8000000000000000n, 1n]) {
        const bytes = encode('append_request', { ...POINT, valueBits: bits });
        assert.equal(new DataView(bytes.buffer).getBigUint64(40), bits);
        const column = encode('batch_append_request',
            { label: 's', timestamps: [1n], values: BigUint64Array.of(bits) });
        assert.equal(new DataView(column.buffer).getBigUint64(44), bits);
    }
    const nan = encode('append_request', { ...POINT, value: NaN });
    assert.equal(new DataView(nan.buffer).getBigUint64(40), 0x7ff8000000000000n);
    assert.equal(bitsOf(-0), 0x8000000000000000n);
    assert(Object.is(numberOf(0x8000000000000000n), -0));
    assert.equal(bitsView(Float64Array.of(1.5))[0], bitsOf(1.5));
});

test('UTF-8 is judged as the engine judges it', () => {
    const judge = new TextDecoder('utf-8', { fatal: true });
    const check = (...bytes) => {
        let right = true;
        try {
            judge.decode(Uint8Array.from(bytes));
        } catch {
            right = false;
        }
        assert.equal(validUtf8(Uint8Array.from(bytes)) === bytes.length, right, bytes.join());
    };
    for (let lead = 0; lead < 256; lead++) {
        for (let second = 0; second < 256; second++) {
            check(lead, second);
            for (const third of lead < 0xe0 ? [] : [0x7f, 0x80, 0xbf, 0xc0]) {
                check(lead, second, third);
                check(lead, second, 0x80, third);
            }
        }
    }
});

test('a label as text', () => {
    assert.equal(labelText(encode('drop_series_request', { label: '\ufeffgrün' })), '\ufeffgrün');
    assert.equal(labelText(new Uint8Array(32)), '');
});

test('a status has its class', () => {
    for (const { name, code, class: kind } of Object.values(statuses)) {
        const error = new TauError(name);
        assert.equal(error.code, code);
        assert.deepEqual([error.retryable, error.fatal, error.outcomeUnknown],
            ['retry', 'fatal', 'unknown'].map((one) => one === kind), name);
    }
    assert(Object.keys(payloads).length > Object.keys(operations).length);
});
