/** Storage that never fails: what the device does not take is held in memory for the life of the page. */

import type { Storage } from "./types.js";

export class Shelf {
  /** Whether nothing is read from the device, or put there, before `release`. */
  isHeld = false;
  private readonly _held = new Map<string, string>();

  constructor(
    private readonly _storage: Storage | undefined,
    private readonly _prefix: string,
  ) {}

  get(key: string): string | undefined {
    const name = this._prefix + key;
    return this._held.get(name) ?? this._try((storage) => storage.get(name) ?? undefined);
  }

  set(key: string, value: string): void {
    const name = this._prefix + key;
    this._held.set(name, value);
    this._try((storage) => {
      storage.set(name, value);
      this._held.delete(name);
    });
  }

  remove(key: string): void {
    const name = this._prefix + key;
    this._held.delete(name);
    this._try((storage) => storage.remove(name));
  }

  /** From now on the device keeps what was held. */
  release(): void {
    this.isHeld = false;
    this._held.forEach((value, name) => this.set(name.slice(this._prefix.length), value));
  }

  /** Keys that begin so, in order. */
  keys(start: string): string[] {
    const names = new Set([...(this._try((storage) => storage.keys()) ?? []), ...this._held.keys()]);
    const found = [...names].filter((name) => name.startsWith(this._prefix + start)).sort();
    return found.map((name) => name.slice(this._prefix.length));
  }

  private _try<T>(use: (storage: Storage) => T): T | undefined {
    try {
      return this._storage && !this.isHeld ? use(this._storage) : undefined;
    } catch {
      return undefined; // blocked, full, or taken away
    }
  }
}
