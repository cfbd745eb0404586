/** Sends what waits: batches, verdicts, back-off. What an event says is not looked at here. */

import { parsed } from "./parsed.js";
import { BATCH_BYTES, byteLength, type Queue, type Waiting } from "./queue.js";
import type { Shelf } from "./shelf.js";
import type { Answer, Lock, Transport } from "./types.js";

const WAIT = "wait";
const BASE_MS = 1_000;
const CAP_MS = 300_000;
const LONGEST_WAIT_MS = 3_600_000;
const REFUSED = [401, 403, 404];
const NO_ANSWER = " 0";

/** What a sender needs of its surroundings. */
export interface Surroundings {
  transport: Transport;
  headers?: Record<string, string>;
  lock: Lock;
  online: () => boolean;
  now: () => number;
  random: () => number;
  /** Milliseconds until a write to the storage is seen by everybody who shares it. */
  settleMs: number;
  log: (what: string, ...details: unknown[]) => void;
}

export class Sender {
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _running: Promise<void> | undefined;
  private _inFlight: ReadonlySet<string> = new Set();
  private _paused = false;

  constructor(
    private readonly _url: string,
    private readonly _interval: number,
    private readonly _queue: Queue,
    private readonly _shelf: Shelf,
    private readonly _around: Surroundings,
  ) {}

  /** Sends in a while, or once the collector may be asked again. */
  schedule(): void {
    if (this._timer || this._paused) return;
    const delay = Math.max(this._interval, this._waitMs());
    this._timer = setTimeout(() => {
      this._stopTimer();
      void this.send();
    }, delay);
  }

  /** Sends all that may be sent now. Resolves when it is done, whatever came of it. */
  send(): Promise<void> {
    this._running ??= this._sendAll()
      .catch((error) => this._around.log("not sent", error))
      .then(() => {
        this._running = undefined;
        if (this._queue.waiting) this.schedule();
      });
    return this._running;
  }

  /** What the page made and nobody is sending goes as beacons. It stays in the queue: a beacon has no answer. */
  beacon(): void {
    if (this._paused) return;
    this.stop();
    this._forgetSilence();
    const { transport, now, headers } = this._around;
    const sent = new Set(this._inFlight);
    while (transport.beacon && !headers && !this._waitMs()) {
      const batch = this._queue.next(now(), sent, true);
      if (!batch.length || !transport.beacon(this._url, this._body(batch))) return;
      batch.forEach((waiting) => sent.add(waiting.id));
    }
  }

  /** Goes on after `beacon`: the page was not discarded. */
  resume(): void {
    this._paused = false;
    this.schedule();
  }

  /** The network is back: asks again at once, unless the collector itself asked to wait. */
  hurry(): void {
    this._forgetSilence();
    this._stopTimer();
    void this.send();
  }

  stop(): void {
    this._paused = true;
    this._stopTimer();
  }

  /** Ends a wait that nobody asked for. */
  private _forgetSilence(): void {
    if (this._shelf.get(WAIT)?.endsWith(NO_ANSWER)) this._shelf.remove(WAIT);
  }

  private _stopTimer(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
  }

  private async _sendAll(): Promise<void> {
    while (await this._around.lock(() => this._sendBatch()));
  }

  /** One request. Whether the next may follow. */
  private async _sendBatch(): Promise<boolean> {
    const { transport, now, log, settleMs, headers } = this._around;
    // Who had the lock before may have sent what others may send too, and storage tells other processes a little late.
    if (settleMs && this._maySend() && this._queue.isShared(now())) await new Promise((done) => setTimeout(done, settleMs));
    const batch = this._maySend() ? this._queue.next(now()) : [];
    if (!batch.length) return false;
    this._inFlight = new Set(batch.map((waiting) => waiting.id));
    const body = this._body(batch);
    let answer: Answer = { status: 0 };
    try {
      answer = await transport.send(this._url, body, byteLength(body) <= BATCH_BYTES, headers);
    } catch (error) {
      log("no answer", error);
    }
    this._inFlight = new Set();
    return this._settle(batch, answer);
  }

  private _maySend(): boolean {
    return !this._paused && !this._waitMs() && this._around.online();
  }

  /**
   * Takes out of the queue what has its verdict. A 4xx is not repeated, save for 408 and 429; where the key, the origin
   * or the address is refused, this page asks no more, and the events stay for the next one.
   */
  private _settle(batch: Waiting[], answer: Answer): boolean {
    const { status } = answer;
    const isFinal = status > 199 && status < 500 && ![...REFUSED, 408, 429].includes(status);
    const results = parsed<{ results?: { status?: string }[] }>(answer.body)?.results;
    const verdicts = results?.length === batch.length && results;
    const settled = batch.filter((_, index) => (verdicts ? verdicts[index]?.status !== "retry" : isFinal));
    this._around.log(`${batch.length} sent: ${status}`, answer.body);
    this._queue.remove(settled.map((waiting) => waiting.id));
    if (settled.length === batch.length) {
      this._shelf.remove(WAIT);
      return true;
    }
    if (REFUSED.includes(status)) this.stop();
    else this._backOff(answer);
    return false;
  }

  /** Exponential back-off with full jitter, on top of `Retry-After`. Pages that share the storage wait together. */
  private _backOff({ status, retryAfter }: Answer): void {
    const { now, random } = this._around;
    const attempts = Number(this._shelf.get(WAIT)?.split(" ")[1] ?? 0) + 1;
    const asked = retryAfter ? Number(retryAfter) * 1000 || Date.parse(retryAfter) - now() || 0 : 0;
    const wait = Math.max(0, asked) + random() * Math.min(CAP_MS, BASE_MS * 2 ** attempts);
    this._shelf.set(WAIT, `${now() + Math.min(wait, LONGEST_WAIT_MS)} ${attempts} ${status}`);
  }

  /** Milliseconds until the collector may be asked again. A time too far ahead is a clock that was put back. */
  private _waitMs(): number {
    const wait = parseInt(this._shelf.get(WAIT) ?? "0") - this._around.now();
    return wait > 0 && wait <= LONGEST_WAIT_MS ? wait : 0;
  }

  /** One event a line: a damaged one has its own verdict, and harms no other. */
  private _body(batch: Waiting[]): string {
    const sentAt = new Date(this._around.now()).toISOString();
    return batch.map(({ json }) => `${json.slice(0, -1)},"sent_at":"${sentAt}"}`).join("\n");
  }
}
