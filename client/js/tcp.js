// SPDX-License-Identifier: MIT
//
// The transport over TCP or a Unix socket, for Node.
import net from 'node:net';

import { protocol } from './model.js';
import { open } from './open.js';

function defaultAddress() {
    const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(protocol.defaultListen);
    return { host, port: Number(port) };
}

function transportOver(address, handlers) {
    const socket = net.connect(address);
    let failure = null;
    socket.setNoDelay(true);
    socket.on('connect', () => handlers.open());
    socket.on('data', (bytes) => handlers.bytes(bytes));
    socket.on('error', (error) => {
        failure = error;
    });
    socket.on('end', () => handlers.end(null));
    socket.on('close', () => handlers.end(failure));
    return {
        write: (bytes) => socket.write(bytes),
        close: () => socket.destroy(),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
    };
}

/** Opens a client over TCP, or over the Unix socket at `path`. */
export async function connectTcp(options) {
    const { host, port, path } = { ...defaultAddress(), ...options };
    return open((handlers) => transportOver(path ? { path } : { host, port }, handlers), options);
}
