/** A lock for pages that share a storage, where the browser has no Web Locks: a lease that runs out. */

import type { Lock, Storage } from "./types.js";

/** Longer than a request can take. */
const LEASE_MS = 20_000;
const SETTLE_MS = 40;

/**
 * Takes turns through one key of the storage. Storage has no compare-and-set: who writes the lease waits a moment and
 * has it if it is still theirs. Should two work at once all the same, events are sent twice under one id, and count once.
 */
export function leaseLock(storage: Pick<Storage, "get" | "set" | "remove">, key: string): Lock {
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms * (1 + Math.random())));
  const left = (): number => {
    const rest = parseInt(storage.get(key) ?? "0") - Date.now();
    return rest <= LEASE_MS ? rest : 0;
  };
  return async (work) => {
    for (;;) {
      if (left() > 0) {
        await pause(SETTLE_MS);
        continue;
      }
      const mine = `${Date.now() + LEASE_MS} ${Math.random()}`;
      storage.set(key, mine);
      await pause(SETTLE_MS);
      if (storage.get(key) !== mine) continue;
      try {
        return await work();
      } finally {
        if (storage.get(key) === mine) storage.remove(key);
      }
    }
  };
}
