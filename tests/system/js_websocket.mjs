// SPDX-License-Identifier: MIT
//
// The JavaScript client over WebSocket, through the bridge, and against WebSocket servers that are
// none of Tau's.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';

import { load } from '../conformance/js_support.mjs';
import { WebSocket, WebSocketServer, startBridge } from './js_bridge.mjs';
import { CERTIFICATE, suite } from './js_operations.mjs';

const { connectWebSocket } = await load('websocket');
const { TauConnectionError, TauError, TauProtocolError } = await load('errors');

const [host, port] = process.argv.slice(2);
const bridge = await startBridge({ host, port: Number(port) });
const given = { certificate: CERTIFICATE, WebSocket };

suite('WebSocket', (options) => connectWebSocket(bridge.url, { ...given, ...options }));

test('what came was cut into many messages', () => {
    const { bytes, messages } = bridge.counts;
    assert(bytes > 4e6 && messages > 200, `${bytes} bytes in ${messages} messages`);
});

/** What a client gets from a server that answers each message by `answer`. */
async function failure(answer) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    server.on('connection', (socket) => socket.on('message', () => answer(socket)));
    await new Promise((resolve) => server.once('listening', resolve));
    try {
        await connectWebSocket(`ws://127.0.0.1:${server.address().port}`, given);
        return assert.fail('it was opened');
    } catch (error) {
        assert(error instanceof TauError, error);
        return error;
    } finally {
        server.clients.forEach((socket) => socket.terminate());
        server.close();
    }
}

test('servers that are none', async () => {
    assert(await failure((socket) => socket.send('TAU')) instanceof TauProtocolError);
    assert(await failure((socket) => socket.send(new Uint8Array(20))) instanceof TauProtocolError);
    assert(await failure((socket) => socket.close()) instanceof TauConnectionError);
    assert(await failure((socket) => socket.terminate()) instanceof TauConnectionError);
});

test('nobody listens, or not for WebSocket', async () => {
    for (const url of [`ws://${host}:${port}`, 'ws://127.0.0.1:1', 'no address']) {
        await assert.rejects(connectWebSocket(url, given), (error) =>
            error instanceof TauConnectionError && error.status === 'connection_failed', url);
    }
});

after(() => bridge.stop());
