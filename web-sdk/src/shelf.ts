/** Storage that never fails: what the device does not take is held in memory for the life of the page. */

import type { Storage } from "./types";

export class Shelf {
  private readonly _held = new Map<string, string>();

  constructor(
    private readonly _storage: Storage | undefined,
    private readonly _prefix: string,
  ) {}

  get(key: string): string | null {
    const held = this._held.get(key);
    return held ?? this._try((storage) => storage.get(this._prefix + key)) ?? null;
  }

  set(key: string, value: string): void {
    const stored = this._try((storage) => {
      storage.set(this._prefix + key, value);
      return true;
    });
    if (stored) this._held.delete(key);
    else this._held.set(key, value);
  }

  remove(key: string): void {
    this._held.delete(key);
    this._try((storage) => storage.remove(this._prefix + key));
  }

  /** Keys that begin so, in order. */
  keys(start: string): string[] {
    const whole = this._prefix + start;
    const stored = this._try((storage) => storage.keys()) ?? [];
    const found = stored.filter((key) => key.startsWith(whole)).map((key) => key.slice(this._prefix.length));
    const held = [...this._held.keys()].filter((key) => key.startsWith(start));
    return [...new Set([...found, ...held])].sort();
  }

  private _try<T>(use: (storage: Storage) => T): T | undefined {
    try {
      return this._storage && use(this._storage);
    } catch {
      return undefined; // blocked, full, or taken away
    }
  }
}
