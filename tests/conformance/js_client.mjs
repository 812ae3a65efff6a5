// SPDX-License-Identifier: MIT
//
// The JavaScript client over a transport in memory, on whose other end a script answers: opening,
// promises, deadlines and signals, streams that are read slowly or left early, and every way in
// which a connection ends.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { load, model, welcome } from './js_support.mjs';

const { open } = await load('open');
const { encodeFrame } = await load('encode');
const { decodeHeader } = await load('decode');
const { connectWebSocket } = await load('websocket');
const { TauAbortError, TauArgumentError, TauConnectionError, TauProtocolError, TauServerError } =
    await load('errors');

const { HEADER_SIZE, flags, operations, replies } = model;
const CERTIFICATE = new Uint8Array(32).fill(7);
const POINT = { label: 's', timestamp: 1n };
const RANGE = { label: 's', from: 0n, to: 9n, limit: 0n, direction: 'forward' };

const OK = encodeFrame(replies.OK.opcode, 'append_response', {});
const byOpcode = new Map(Object.values(operations).map((one) => [one.opcode, one.name]));

function err(status) {
    return encodeFrame(replies.ERR.opcode, 'err', { status });
}

function found(value) {
    return encodeFrame(replies.OK.opcode, 'query_point_response', { value });
}

function batch(value, bits) {
    return encodeFrame(replies.OK.opcode, 'query_range_response',
        { timestamps: [1n], values: [value] }, bits);
}

/** A server in memory. `script` gives for the name of a request what is sent back, or nothing. */
class Peer {
    requests = [];
    writes = 0;
    connections = 0;
    pauses = 0;
    resumes = 0;
    closed = false;
    refusal = null;
    #script;

    constructor(script = {}) {
        this.#script = { CONNECT: OK, NEGOTIATE: welcome(), ...script };
    }

    reach = (handlers) => {
        this.handlers = handlers;
        this.connections++;
        this.closed = false;
        queueMicrotask(() => handlers.open());
        return {
            write: (bytes) => this.#onWrite(bytes),
            close: () => {
                this.closed = true;
            },
            pause: () => this.pauses++,
            resume: () => this.resumes++,
        };
    };

    #onWrite(bytes) {
        if (this.refusal) {
            throw this.refusal;
        }
        this.writes++;
        for (let at = 0; at < bytes.length;) {
            const header = decodeHeader(bytes.subarray(at, at + HEADER_SIZE));
            at += HEADER_SIZE + header.payloadLength;
            this.requests.push(byOpcode.get(header.opcode));
            this.#answer(this.requests.at(-1));
        }
        assert(!this.closed, 'nothing is written to a closed connection');
    }

    #answer(name) {
        const answer = this.#script[name];
        const bytes = typeof answer === 'function' ? answer(this) : answer;
        if (bytes) {
            this.send(bytes);
        }
    }

    send(bytes) {
        queueMicrotask(() => this.handlers.bytes(bytes));
    }
}

async function client(peer, options = {}) {
    const opened = await open(peer.reach, { certificate: CERTIFICATE, ...options });
    peer.requests = [];
    peer.writes = 0;
    return opened;
}

/** What a promise was rejected with. */
async function failure(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    return assert.fail('it was not rejected');
}

async function collected(stream) {
    const values = [];
    for await (const one of stream) {
        values.push(one.values[0]);
    }
    return values;
}

// --- opening ---------------------------------------------------------------------------------

test('a session is opened with CONNECT and NEGOTIATE in one piece', async () => {
    const peer = new Peer();
    const tau = await open(peer.reach, { certificate: CERTIFICATE });
    assert.deepEqual([peer.requests, peer.writes], [['CONNECT', 'NEGOTIATE'], 1]);
    assert.equal(tau.server.name, 'test');
    assert(tau.supports(operations.QUERY_RANGE));
});

test('a certificate is 32 bytes or their digits, and nothing else', async () => {
    for (const certificate of ['zz'.repeat(32), '07'.repeat(31), new Uint8Array(31), undefined]) {
        const peer = new Peer();
        assert(await failure(open(peer.reach, { certificate })) instanceof TauArgumentError);
        assert.equal(peer.connections, 0);
    }
    await open(new Peer().reach, { certificate: '07'.repeat(32) });
});

test('a server without NEGOTIATE is reached again without it', async () => {
    const peer = new Peer({ NEGOTIATE: err('bad_opcode'), QUERY_POINT: found(1) });
    const tau = await open(peer.reach, { certificate: CERTIFICATE });
    assert.deepEqual(peer.requests, ['CONNECT', 'NEGOTIATE', 'CONNECT']);
    assert.deepEqual([peer.connections, tau.server], [2, null]);
    assert.equal((await tau.queryPoint(POINT)).value, 1);
    assert.equal((await failure(tau.queryLatest({ label: 's' }))).status, 'not_supported');
});

test('a wrong certificate is told, and the connection closed', async () => {
    const peer = new Peer({ CONNECT: err('auth_failed'), NEGOTIATE: err('not_authenticated') });
    const error = await failure(client(peer));
    assert(error instanceof TauServerError);
    assert.deepEqual([error.status, peer.closed, peer.connections], ['auth_failed', true, 1]);
});

test('a connection that cannot be made', async () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const reaches = [
        ({ end }) => {
            queueMicrotask(() => end(refused));
            return { write() {}, close() {} };
        },
        ({ end }) => {
            end(refused);
            return { write() {}, close() {} };
        },
        () => {
            throw refused;
        },
    ];
    for (const reach of reaches) {
        const error = await failure(open(reach, { certificate: CERTIFICATE }));
        assert(error instanceof TauConnectionError);
        assert.deepEqual([error.status, error.cause, error.retryable],
            ['connection_failed', refused, true]);
    }
});

test('opening has a deadline and a signal', async () => {
    const silent = new Peer({ CONNECT: null, NEGOTIATE: null });
    const late = await failure(client(silent, { connectTimeoutMs: 20 }));
    assert(late instanceof TauAbortError && late.status === 'timeout' && silent.closed);
    const controller = new AbortController();
    const opening = client(silent, { signal: controller.signal });
    controller.abort();
    const left = await failure(opening);
    assert(left instanceof TauAbortError && left.status === 'cancelled' && silent.closed);
    const early = await failure(client(silent, { signal: AbortSignal.abort() }));
    assert.equal(early.status, 'cancelled');
});

test('WebSocket needs a class', async () => {
    const none = { certificate: CERTIFICATE, WebSocket: null };
    assert(await failure(connectWebSocket('ws://[::1]', none)) instanceof TauArgumentError);
});

// --- calls -----------------------------------------------------------------------------------

test('the requests of one turn leave in one piece', async () => {
    const peer = new Peer({ QUERY_POINT: found(1), APPEND: OK });
    const tau = await client(peer);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) =>
        (i % 2 ? tau.queryPoint(POINT) : tau.append({ ...POINT, value: i }))));
    assert.deepEqual([peer.writes, peer.requests.length], [1, 100]);
    assert.deepEqual([answers[0], answers[1].value], [undefined, 1]);
});

test('a refusal and a bad argument reject', async () => {
    const tau = await client(new Peer({ QUERY_POINT: err('series_not_found') }));
    assert((await failure(tau.queryPoint(POINT))).status === 'series_not_found');
    assert(await failure(tau.queryPoint({ label: 's' })) instanceof TauArgumentError);
    for (const timeoutMs of [-1, 2 ** 31, NaN, '5']) {
        const error = await failure(tau.queryPoint(POINT, { timeoutMs }));
        assert(error instanceof TauArgumentError, String(timeoutMs));
    }
});

test('a read that is late times out, a late write is of unknown outcome', async () => {
    const peer = new Peer();
    const tau = await client(peer, { timeoutMs: 20 });
    const [read, write, patient] = await Promise.all([
        failure(tau.queryPoint(POINT)), failure(tau.append({ ...POINT, value: 1 })),
        tau.queryPoint(POINT, { timeoutMs: 0 }), sleep(40).then(() => {
            [found(1), OK, found(3)].forEach((bytes) => peer.send(bytes));
        }),
    ]);
    assert(read instanceof TauAbortError && read.status === 'timeout' && !read.outcomeUnknown);
    assert(write.outcomeUnknown && write.cause.status === 'timeout');
    assert.equal(patient.value, 3);
});

test('a signal gives up a call', async () => {
    const peer = new Peer({ PING: encodeFrame(replies.PONG.opcode, 'pong', {}) });
    const tau = await client(peer);
    const controller = new AbortController();
    const call = tau.queryPoint(POINT, { signal: controller.signal });
    await sleep(1);
    controller.abort(new Error('enough'));
    const error = await failure(call);
    assert(error instanceof TauAbortError);
    assert.deepEqual([error.status, error.cause.message], ['cancelled', 'enough']);
    peer.send(found(1));
    await tau.ping();
    const [late] = await Promise.all([
        failure(tau.queryPoint(POINT, { signal: AbortSignal.timeout(5) })),
        sleep(30), // the signal's own timer keeps no process alive
    ]);
    assert.equal(late.status, 'timeout');
    const unsent = await failure(tau.append({ ...POINT, value: 1 }, { signal: controller.signal }));
    assert.deepEqual([unsent.status, unsent.outcomeUnknown], ['cancelled', false]);
    assert.deepEqual(peer.requests, ['QUERY_POINT', 'PING', 'QUERY_POINT']);
});

test('what is answered leaves neither a timer nor a listener', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const tau = await client(new Peer({ QUERY_POINT: found(1), QUERY_RANGE: batch(1, 0) }));
    const { signal } = new AbortController();
    const before = timers();
    const call = tau.queryPoint(POINT, { timeoutMs: 60000, signal });
    assert.deepEqual([timers(), getEventListeners(signal, 'abort').length], [before + 1, 1]);
    await call;
    await collected(tau.queryRange(RANGE, { timeoutMs: 60000, signal }));
    await failure(tau.queryPoint({ label: 's' }, { timeoutMs: 60000, signal }));
    assert.deepEqual([timers(), getEventListeners(signal, 'abort').length], [before, 0]);
});

// --- streams ---------------------------------------------------------------------------------

test('a stream is read to its end', async () => {
    const peer = new Peer({ QUERY_RANGE: Buffer.concat([batch(1, flags.more), batch(2, 0)]) });
    const tau = await client(peer);
    assert.deepEqual(await collected(tau.queryRange(RANGE)), [1, 2]);
    const stream = tau.queryRange(RANGE);
    const reads = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
    assert.deepEqual(reads.map(({ done }) => done), [false, false, true, true]);
});

test('a stream fails once, behind what came before', async () => {
    const peer = new Peer({ QUERY_RANGE: Buffer.concat([batch(1, flags.more), err('cancelled')]) });
    const tau = await client(peer);
    const stream = tau.queryRange(RANGE);
    await sleep(1);
    assert.equal((await stream.next()).value.values[0], 1);
    assert.equal((await failure(stream.next())).status, 'cancelled');
    assert.deepEqual(await stream.next(), { done: true, value: undefined });
    const refused = tau.queryRange({ label: 's' });
    assert(await failure(refused.next()) instanceof TauArgumentError);
});

test('a stream that is left early is cancelled', async () => {
    const peer = new Peer({
        QUERY_RANGE: Buffer.concat([batch(1, flags.more), batch(2, flags.more)]),
        CANCEL: Buffer.concat([err('cancelled'), OK]), QUERY_POINT: found(5),
    });
    const tau = await client(peer);
    for await (const one of tau.queryRange(RANGE)) {
        assert.equal(one.values[0], 1);
        break;
    }
    assert.equal((await tau.queryPoint(POINT)).value, 5);
    assert.deepEqual(peer.requests, ['QUERY_RANGE', 'CANCEL', 'QUERY_POINT']);
    const stream = tau.queryRange(RANGE);
    const waiting = [stream.next(), stream.next(), stream.next()];
    await sleep(1);
    stream.cancel();
    assert.deepEqual((await Promise.all(waiting)).map(({ done }) => done), [false, false, true]);
});

test('a slow reader holds the connection back', async () => {
    const peer = new Peer();
    const tau = await client(peer);
    const stream = tau.queryRange(RANGE);
    await sleep(1);
    for (let i = 0; i < 16; i++) {
        assert.equal(peer.pauses, 0);
        peer.handlers.bytes(batch(i, flags.more));
    }
    assert.deepEqual([peer.pauses, peer.resumes], [1, 0]);
    for (let i = 0; i < 12; i++) {
        assert.equal(peer.resumes, 0);
        assert.equal((await stream.next()).value.values[0], i);
    }
    assert.equal(peer.resumes, 1);
    for (let i = 0; i < 12; i++) {
        peer.handlers.bytes(batch(i, flags.more));
    }
    stream.cancel();
    assert.deepEqual([peer.pauses, peer.resumes], [2, 2]);
});

test('a call behind a stream that is read slowly is answered', async () => {
    const peer = new Peer();
    const tau = await client(peer);
    const stream = tau.queryRange(RANGE);
    await sleep(1);
    for (let i = 0; i < 16; i++) {
        peer.handlers.bytes(batch(i, flags.more));
    }
    assert.deepEqual([peer.pauses, peer.resumes], [1, 0]);
    const call = tau.queryPoint(POINT);
    assert.deepEqual([peer.pauses, peer.resumes], [1, 1]);
    await sleep(1);
    for (let i = 16; i < 40; i++) {
        peer.handlers.bytes(batch(i, i < 39 ? flags.more : 0));
    }
    peer.handlers.bytes(found(5));
    assert.equal((await call).value, 5);
    assert.deepEqual(await collected(stream), Array.from({ length: 40 }, (_, i) => i));
    assert.deepEqual([peer.pauses, peer.resumes], [1, 1]);
});

test('a stream holds up another one only until that is read', async () => {
    const peer = new Peer();
    const tau = await client(peer);
    const first = tau.queryRange(RANGE);
    const second = tau.queryRange(RANGE);
    await sleep(1);
    for (let i = 0; i < 16; i++) {
        peer.handlers.bytes(batch(i, flags.more));
    }
    assert.deepEqual([peer.pauses, peer.resumes], [1, 0]);
    const reading = second.next();
    assert.deepEqual([peer.pauses, peer.resumes], [1, 1]);
    peer.handlers.bytes(batch(16, 0));
    peer.handlers.bytes(batch(17, 0));
    assert.equal((await reading).value.values[0], 17);
    assert.equal((await collected(first)).length, 17);
});

test('what is taken of a stream for calls behind it is bounded', async () => {
    const peer = new Peer();
    const tau = await client(peer, { maxStreamBytes: 20 * 600 });
    const stream = tau.queryRange(RANGE);
    const calls = [failure(tau.queryPoint(POINT)), failure(tau.append({ ...POINT, value: 1 }))];
    await sleep(1);
    let sent = 0;
    for (; peer.pauses === 0 && sent < 100; sent++) {
        peer.handlers.bytes(batch(sent, flags.more));
    }
    assert(sent > 20 && sent < 30, String(sent));
    const [read, write] = await Promise.all(calls);
    assert.equal(read.status, 'would_block');
    assert(write.outcomeUnknown && write.cause.status === 'would_block');
    peer.requests = [];
    assert.equal((await failure(tau.append({ ...POINT, value: 1 }))).status, 'would_block');
    assert.deepEqual(peer.requests, []);
    const values = [];
    for (let i = 0; i < sent; i++) {
        values.push((await stream.next()).value.values[0]);
    }
    assert.deepEqual(values, Array.from({ length: sent }, (_, i) => i));
    assert.equal(peer.resumes, 1);
    const after = tau.queryPoint(POINT);
    await sleep(1);
    [batch(0, 0), found(1), OK, found(2)].forEach((bytes) => peer.handlers.bytes(bytes));
    assert.equal((await after).value, 2);
});

test('a stream\'s deadline begins again with each batch, and waits for the reader', async () => {
    const peer = new Peer();
    const tau = await client(peer);
    const stream = tau.queryRange(RANGE, { timeoutMs: 60 });
    for (let i = 0; i < 3; i++) {
        await sleep(35);
        peer.handlers.bytes(batch(i, flags.more));
        if (i < 2) {
            assert.equal((await stream.next()).value.values[0], i);
        }
    }
    await sleep(90);
    assert.equal(peer.requests.at(-1), 'QUERY_RANGE');
    assert.equal((await stream.next()).value.values[0], 2);
    assert.equal((await failure(stream.next())).status, 'timeout');
    assert.equal(peer.requests.at(-1), 'CANCEL');
});

// --- ends ------------------------------------------------------------------------------------

test('a lost connection ends every call, and is told', async () => {
    const peer = new Peer();
    const tau = await client(peer);
    const calls = [failure(tau.queryPoint(POINT)), failure(tau.append({ ...POINT, value: 1 })),
        failure(tau.queryRange(RANGE).next())];
    await sleep(1);
    peer.handlers.end(new Error('reset'));
    const errors = await Promise.all(calls);
    assert.deepEqual(errors.map(({ status }) => status),
        ['connection_lost', 'outcome_unknown', 'connection_lost']);
    assert.equal((await tau.closed).cause.message, 'reset');
    assert.equal((await failure(tau.ping())).status, 'connection_lost');
    peer.handlers.bytes(found(1));
    peer.handlers.end(null);
});

test('a transport that cannot write has lost the connection', async () => {
    const peer = new Peer();
    const tau = await client(peer);
    const broken = new Error('not open');
    peer.refusal = broken;
    const [read, write] = await Promise.all([
        failure(tau.queryPoint(POINT)), failure(tau.append({ ...POINT, value: 1 }))]);
    assert.deepEqual([read.status, read.cause], ['connection_lost', broken]);
    assert(write.outcomeUnknown);
    assert.equal((await tau.closed).status, 'connection_lost');
    assert(peer.closed);
});

test('what the protocol does not allow closes the connection', async () => {
    const peer = new Peer({ QUERY_POINT: new Uint8Array(64) });
    const tau = await client(peer);
    const error = await failure(tau.queryPoint(POINT));
    assert(error instanceof TauProtocolError && error.fatal);
    assert.equal(await tau.closed, error);
    assert(peer.closed);
});

test('close ends at once, disconnect in order', async () => {
    const peer = new Peer({ DISCONNECT: OK, QUERY_POINT: found(1) });
    const closing = await client(peer);
    const call = failure(closing.queryPoint(POINT));
    closing.close();
    assert.equal((await call).status, 'connection_lost');
    assert((await closing.closed) instanceof TauConnectionError && peer.closed);
    const leaving = await client(peer);
    const [{ value }] = await Promise.all([leaving.queryPoint(POINT), leaving.disconnect()]);
    assert(peer.closed); // though the server has not closed yet
    peer.handlers.end(null);
    assert.deepEqual([value, await leaving.closed], [1, null]);
});
