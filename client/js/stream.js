// SPDX-License-Identifier: MIT
//
// The answer of a stream as an async iterator of its batches. Where the reader is slower than the
// server the connection is held back, so that few batches wait. The deadline is for the server: it
// is renewed by each batch, and does not run while batches wait for the reader.
import { TauAbortError } from './errors.js';

const MOST_WAITING = 16; // batches, each of one frame
const FEW_WAITING = 4;

export class TauStream {
    #batches = [];
    #readers = [];
    #ended = false;
    #failure = null;
    #held = false;
    #stop = () => {};
    #link;
    #deadline = null;

    /** `begin(sink)` makes the request and gives its deadline and how to stop it. */
    constructor(link, begin) {
        this.#link = link;
        try {
            const { deadline, stop } = begin({
                batch: (value) => this.#onBatch(value),
                done: () => this.#finish(null),
                fail: (error) => this.#finish(error),
            });
            this.#deadline = deadline;
            this.#stop = stop;
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
            const value = this.#batches.shift();
            this.#letGo();
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
        return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
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

    #onBatch(value) {
        const reader = this.#readers.shift();
        if (reader) {
            this.#deadline?.renew();
            reader.resolve({ done: false, value });
            return;
        }
        this.#batches.push(value);
        this.#deadline?.hold();
        if (this.#batches.length >= MOST_WAITING && !this.#held) {
            this.#held = true;
            this.#link.pause();
        }
    }

    #letGo() {
        if (this.#batches.length === 0 && !this.#ended) {
            this.#deadline?.renew();
        }
        if (this.#held && this.#batches.length <= FEW_WAITING) {
            this.#release();
        }
    }

    #release() {
        if (this.#held) {
            this.#held = false;
            this.#link.resume();
        }
    }

    #finish(error) {
        if (this.#ended) {
            this.#release();
            return;
        }
        this.#ended = true;
        this.#deadline?.stop();
        this.#release();
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
