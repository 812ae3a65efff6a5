// SPDX-License-Identifier: MIT
//
// The answer of a stream as an async iterator of its batches. Where the reader is slower than the
// server the link holds the connection back, so that few batches wait. The deadline is for the
// server: it is renewed by each batch, and does not run while batches wait for the reader.
import { TauAbortError } from './errors.js';

export class TauStream {
    #batches = [];
    #readers = [];
    #ended = false;
    #failure = null;
    #stop = () => {};
    #link;
    #deadline = null;
    #entry = null;

    /** `begin(sink)` makes the request; gives it, its deadline and how to stop it. */
    constructor(link, begin) {
        this.#link = link;
        try {
            const { deadline, stop, entry } = begin({
                batch: (value, size) => this.#onBatch(value, size),
                done: () => this.#finish(null),
                fail: (error) => this.#finish(error),
            });
            this.#deadline = deadline;
            this.#stop = stop;
            this.#entry = entry;
        } catch (error) {
            this.#finish(error);
        }
    }

    [Symbol.asyncIterator]() {
        return this;
    }

    /** The next batch. */
    next() {
        if (this.#batches.length > 0) {
            const { value, size } = this.#batches.shift();
            this.#letGo(size);
            return Promise.resolve({ done: false, value });
        }
        if (this.#failure) {
            const error = this.#failure;
            this.#failure = null; // an iterator fails once, then it is at its end
            return Promise.reject(error);
        }
        if (this.#ended) {
            return Promise.resolve({ done: true, value: undefined });
        }
        return new Promise((resolve, reject) => {
            this.#readers.push({ resolve, reject });
            this.#want();
        });
    }

    /** What a loop that is left early calls: no more is wanted. */
    return(value) {
        this.cancel();
        return Promise.resolve({ done: true, value });
    }

    /** Ends the stream: what was not read is dropped, a waiting reader is at the end. */
    cancel() {
        const ended = this.#ended;
        this.#batches = [];
        this.#failure = null;
        this.#finish(null);
        if (!ended) {
            this.#stop(new TauAbortError('cancelled', 'the stream was left'));
        }
    }

    #onBatch(value, size) {
        const reader = this.#readers.shift();
        if (reader) {
            this.#deadline?.renew();
            this.#link.session.taken(this.#entry, size);
            this.#want();
            reader.resolve({ done: false, value });
            return;
        }
        this.#batches.push({ value, size });
        this.#deadline?.hold();
    }

    #letGo(size) {
        if (this.#batches.length === 0 && !this.#ended) {
            this.#deadline?.renew();
        }
        this.#link.session.taken(this.#entry, size);
        this.#link.balance();
    }

    /** Whether anybody waits for it decides whether it waits for another stream. */
    #want() {
        this.#entry.wanted = this.#readers.length > 0;
        this.#link.balance();
    }

    #finish(error) {
        if (this.#ended) {
            return;
        }
        this.#ended = true;
        this.#deadline?.stop();
        const first = this.#readers.shift();
        if (error && first) {
            first.reject(error);
        } else {
            this.#failure = error;
            first?.resolve({ done: true, value: undefined });
        }
        for (const reader of this.#readers.splice(0)) {
            reader.resolve({ done: true, value: undefined });
        }
    }
}
