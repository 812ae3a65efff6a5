// SPDX-License-Identifier: MIT
//
// The JavaScript client against a server over TCP and over a Unix socket, and against ports on
// which there is none, or one that closes, or that answers before a request is there.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';

import { load, model } from '../conformance/js_support.mjs';
import { CERTIFICATE, suite } from './js_operations.mjs';

const { connectTcp } = await load('tcp');
const { encodeFrame } = await load('encode');
const { TauConnectionError } = await load('errors');

const [host, port, path] = process.argv.slice(2);

suite('TCP', (options) =>
    connectTcp({ host, port: Number(port), certificate: CERTIFICATE, ...options }));
suite('Unix', (options) => connectTcp({ path, certificate: CERTIFICATE, ...options }));

async function refusal(address) {
    try {
        await connectTcp({ certificate: CERTIFICATE, ...address });
    } catch (error) {
        assert(error instanceof TauConnectionError, error);
        return error;
    }
    return assert.fail('it was not refused');
}

test('nobody listens', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port: free } = server.address();
    await new Promise((resolve) => server.close(resolve));
    const error = await refusal({ host: '127.0.0.1', port: free });
    assert.deepEqual([error.status, error.cause.code], ['connection_failed', 'ECONNREFUSED']);
    assert.equal((await refusal({ path: `${path}.none` })).cause.code, 'ENOENT');
    assert.equal((await refusal({ port: 70000 })).cause.code, 'ERR_SOCKET_BAD_PORT');
});

test('a server that closes at once', async () => {
    const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const error = await refusal({ host: '127.0.0.1', port: server.address().port });
    assert.match(error.status, /^connection_(lost|failed)$/);
    server.close();
});

const { HEADER_SIZE, limits, replies } = model;
const MOST = limits.payload_bytes.value;
const OK = encodeFrame(replies.OK.opcode, 'append_response', {});
const PONG = encodeFrame(replies.PONG.opcode, 'pong', {});
const ERR = encodeFrame(replies.ERR.opcode, 'err', { status: 'payload_too_large' });

/**
 * A server without NEGOTIATE that answers the first request when a part of it is there and reads no
 * more, then leaves, or reads the rest and answers what follows with PONG.
 */
async function hasty(answer, leaves) {
    let taken = -1; // bytes behind CONNECT
    const server = net.createServer((socket) => {
        socket.on('error', () => {}); // a client that still sends
        socket.on('data', (bytes) => {
            const before = taken;
            taken += before < 0 ? 1 : bytes.length;
            if (before < 0) {
                socket.write(OK);
            } else if (before === 0) {
                assert(taken >= HEADER_SIZE && taken < MOST);
                socket.pause();
                socket.write(answer, () => {
                    setTimeout(() => (leaves ? socket.destroy() : socket.resume()), 20);
                });
            } else if (taken === HEADER_SIZE + MOST + HEADER_SIZE) {
                socket.write(PONG);
            }
        });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return server;
}

for (const [what, answer, leaves] of [
    ['a refusal', ERR, false], ['the answer to a PING', PONG, false],
    ['a refusal of a server that leaves', ERR, true],
]) {
    test(`${what} before the whole request is sent`, async () => {
        const server = await hasty(answer, leaves);
        const tau = await connectTcp({
            host: '127.0.0.1', port: server.address().port, certificate: CERTIFICATE,
            negotiate: false, timeoutMs: 20000,
        });
        const told = await tau.ping({ ignored: new Uint8Array(MOST) })
            .then(() => 'success', (error) => error.status);
        assert.equal(told, answer === PONG ? 'success' : 'payload_too_large');
        if (leaves) {
            assert.equal((await tau.closed).status, 'connection_lost');
        } else {
            await tau.ping(); // the session goes on
            tau.close();
        }
        server.close();
    });
}
