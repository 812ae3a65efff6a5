// SPDX-License-Identifier: MIT
//
// The JavaScript client against a server over TCP and over a Unix socket, and against ports on
// which there is none, or one that closes.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';

import { load } from '../conformance/js_support.mjs';
import { CERTIFICATE, suite } from './js_operations.mjs';

const { connectTcp } = await load('tcp');
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
