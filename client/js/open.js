// SPDX-License-Identifier: MIT
//
// Opens a session over any transport: CONNECT, then NEGOTIATE. A server of the protocol's first day
// does not know NEGOTIATE and closes; it is reached once more without it.
import { fromHex } from './bytes.js';
import { Deadline } from './deadline.js';
import { TauArgumentError, TauConnectionError } from './errors.js';
import { Link } from './link.js';
import { features, operations, protocol, types } from './model.js';
import { Client } from './operations.js';

const CONNECT_TIMEOUT_MS = 10000;

function certificateOf(certificate) {
    const bytes = typeof certificate === 'string'
        ? fromHex(certificate, 'certificate') : certificate;
    const { size } = types.certificate;
    if (!(bytes instanceof Uint8Array) || bytes.length !== size) {
        throw new TauArgumentError(`certificate: expected ${size} bytes or ${2 * size} digits`);
    }
    return bytes;
}

function offer(clientName) {
    return {
        features: features.detailed_errors,
        specification: protocol.fingerprint,
        clientName,
        operations: Object.values(operations).map(({ opcode, fingerprint }) =>
            ({ opcode, fingerprint })),
    };
}

/** One try. Resolves to a client, or to null where the server does not know NEGOTIATE. */
async function handshake(link, client, certificate, request) {
    await link.opened;
    const connected = client.connect({ certificate }, { timeoutMs: 0 });
    const negotiated = request ? client.negotiate(request, { timeoutMs: 0 }) : null;
    negotiated?.catch(() => {}); // when CONNECT fails, that is the error to tell
    await connected;
    try {
        await negotiated;
    } catch (error) {
        if (error.status !== 'bad_opcode') {
            throw error;
        }
        return null;
    }
    return client;
}

async function attempt(reach, options, request) {
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS, signal, certificate } = options;
    const link = new Link(options);
    const client = new Client(link, options);
    const wait = { timeoutMs: connectTimeoutMs, signal };
    const deadline = new Deadline('the connection', wait, (error) => link.end(error));
    let opened = null;
    try {
        link.reach(reach);
        opened = await handshake(link, client, certificate, request);
        return opened;
    } finally {
        deadline.stop();
        if (opened === null) {
            link.end(new TauConnectionError('connection_lost', 'the session was not opened'));
        }
    }
}

/** Opens a client over the transport that `reach` makes; see link.js for what that is. */
export async function open(reach, options) {
    const settings = { ...options, certificate: certificateOf(options.certificate) };
    const { negotiate = true, clientName = 'tau-js' } = settings;
    const client = negotiate ? await attempt(reach, settings, offer(clientName)) : null;
    return client ?? attempt(reach, settings, null);
}
