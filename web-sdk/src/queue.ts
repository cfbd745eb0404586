/**
 * Events that wait. Each has a key of its own in storage, so that pages which share it never overwrite each other, and
 * stays there until the collector has given its verdict: an event in flight is still in the queue.
 */

import type { Shelf } from "./shelf.js";
import { timeOf } from "./uuid.js";

const KEY = "q.";
/** Of a request that may outlive its page: browsers allow 64 KiB. */
export const BATCH_BYTES = 60_000;

export interface Waiting {
  id: string;
  json: string;
}

export class Queue {
  /** Events that were dropped because too many waited. */
  dropped = 0;
  /** Events that this page made; another page may have sent them since. */
  private readonly _own = new Set<string>();

  constructor(
    private readonly _shelf: Shelf,
    private readonly _most: number,
    private readonly _batch: number,
    private readonly _patience: number,
  ) {}

  /** Number of events that this page made and that still wait. */
  get own(): number {
    return this._ids().filter((id) => this._own.has(id)).length;
  }

  /** Number of events that wait, those of other pages too. */
  get waiting(): number {
    return this._ids().length;
  }

  add(id: string, json: string): void {
    const waiting = this._ids();
    const over = waiting.slice(0, Math.max(0, waiting.length + 1 - this._most));
    this.remove(over);
    this.dropped += over.length;
    this._own.add(id);
    this._shelf.set(KEY + id, json);
  }

  /**
   * The next events to send, oldest first, as many as fit into one request. Own ones, and those that other pages left
   * behind: whoever made an event sends it soon, or is gone.
   */
  next(now: number, but?: ReadonlySet<string>, ownOnly = false): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const id of this._ids()) {
      if (but?.has(id) || !(this._own.has(id) || (!ownOnly && this._isLeft(id, now)))) continue;
      const json = this._shelf.get(KEY + id);
      if (json === undefined) continue;
      bytes += byteLength(json) + 40;
      if (batch.length && (bytes > BATCH_BYTES || batch.length >= this._batch)) break;
      batch.push({ id, json });
    }
    return batch;
  }

  /** Whether the next event to send is one that other pages may send too. */
  isShared(now: number): boolean {
    return this.next(now).some(({ id }) => this._isLeft(id, now));
  }

  /** Whether it waits so long that whoever made it may be gone. */
  private _isLeft(id: string, now: number): boolean {
    return !(Math.abs(now - timeOf(id)) < this._patience);
  }

  remove(ids: Iterable<string>): void {
    for (const id of ids) {
      this._own.delete(id);
      this._shelf.remove(KEY + id);
    }
  }

  /** Forgets every event, those of other pages too. */
  clear(): void {
    this.remove(this._ids());
  }

  private _ids(): string[] {
    return this._shelf.keys(KEY).map((key) => key.slice(KEY.length));
  }
}

/** Bytes of a text in UTF-8, or a few more. */
export function byteLength(text: string): number {
  return text.replace(/[^\x00-\x7f]/g, "abc").length;
}
