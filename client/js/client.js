// SPDX-License-Identifier: MIT
//
// What every client has: promises, deadlines and streams over a link. The methods, one for each
// operation, are generated from the specification and call `call` or `stream`. Calls may be made
// without waiting for the ones before; the answers come in the same order.
import { Deadline } from './deadline.js';
import { TauConnectionError } from './errors.js';
import { payloads } from './model.js';
import { TauStream } from './stream.js';

export class ClientBase {
    #link;
    #defaults;

    constructor(link, { timeoutMs = 0 } = {}) {
        this.#link = link;
        this.#defaults = { timeoutMs };
    }

    /** What the server said of itself in NEGOTIATE; null on a session without it. */
    get server() {
        return this.#link.session.server;
    }

    /** Resolves when the connection is over, with the error that ended it or null. */
    get closed() {
        return this.#link.closed;
    }

    /** Whether the server offers an operation of `operations`, with the layout known here. */
    supports(operation) {
        return this.#link.session.refusal(operation) === null;
    }

    /** Ends the connection at once. Requests that wait fail; `disconnect` ends it in order. */
    close() {
        this.#link.end(new TauConnectionError('connection_lost', 'the client was closed'));
    }

    /** Sends a request and resolves to its answer. */
    call(operation, request, options = {}) {
        const { fields } = payloads[operation.response];
        return new Promise((resolve, reject) => {
            const { deadline } = this.#begin(operation, request, options, {
                done(value) {
                    deadline.stop();
                    resolve(fields.length > 0 ? value : undefined);
                },
                fail(error) {
                    deadline.stop();
                    reject(error);
                },
            });
        });
    }

    /** Sends a request that is answered by a stream. */
    stream(operation, request, options = {}) {
        return new TauStream(this.#link, (sink) => this.#begin(operation, request, options, sink));
    }

    #begin(operation, request, options, sink) {
        let entry = null;
        const stop = (error) => this.#link.stop(entry, error);
        const deadline = new Deadline(operation.name, { ...this.#defaults, ...options }, stop);
        try {
            entry = this.#link.request(operation, request, sink);
        } catch (error) {
            deadline.stop();
            throw error;
        }
        return { deadline, stop, entry };
    }
}
