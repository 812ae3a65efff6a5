// SPDX-License-Identifier: MIT
//
// A bridge from WebSocket to TCP: each connection gets one to the server behind it. What comes back
// is cut at odd places, first into messages, then some of these into fragments, so that nothing of
// the protocol's frames shows in those of WebSocket.
import { createRequire } from 'node:module';
import net from 'node:net';

const { WebSocketServer, WebSocket } = createRequire(import.meta.url)(process.env.TAU_WS);

const MESSAGES = [1, 9, 10, 11, 3, 65537, 4093, 2, 30011]; // sizes, in turn
const FRAGMENTS = [1, 7, 1021];

export { WebSocket, WebSocketServer };

/** Sends one message, in fragments of odd sizes. */
function sendFragments(socket, bytes) {
    let at = 0;
    for (let i = 0; at < bytes.length; i++) {
        const end = Math.min(at + FRAGMENTS[i % FRAGMENTS.length] * (1 + (i >> 2)), bytes.length);
        socket.send(bytes.subarray(at, end), { binary: true, fin: end === bytes.length });
        at = end;
    }
}

class Cutter {
    #turn = 0;
    messages = 0;

    send(socket, bytes) {
        for (let at = 0; at < bytes.length;) {
            const end = Math.min(at + MESSAGES[this.#turn++ % MESSAGES.length], bytes.length);
            const message = bytes.subarray(at, end);
            if (this.#turn % 2 === 0) {
                sendFragments(socket, message);
            } else {
                socket.send(message);
            }
            this.messages++;
            at = end;
        }
    }
}

function join(socket, address, counts) {
    const behind = net.connect(address);
    const cutter = new Cutter();
    behind.setNoDelay(true);
    behind.on('data', (bytes) => {
        cutter.send(socket, bytes);
        counts.bytes += bytes.length;
        counts.messages = Math.max(counts.messages, cutter.messages);
    });
    behind.on('error', () => socket.terminate());
    behind.on('end', () => socket.close());
    socket.on('message', (bytes) => behind.write(bytes));
    socket.on('close', () => behind.destroy());
}

/** Starts a bridge; gives its URL, what went through it and how to stop it. */
export async function startBridge(address) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const counts = { bytes: 0, messages: 0 };
    server.on('connection', (socket) => join(socket, address, counts));
    await new Promise((resolve) => server.once('listening', resolve));
    return {
        url: `ws://127.0.0.1:${server.address().port}`,
        counts,
        stop() {
            server.clients.forEach((socket) => socket.terminate());
            server.close();
        },
    };
}
