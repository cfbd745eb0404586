/** Storage that answers at once over one that answers later: React Native's AsyncStorage, a file, a database. */

import type { Storage } from "./types.js";

/** As React Native's AsyncStorage has it. */
export interface AsyncStorage {
  getAllKeys(): Promise<readonly string[]>;
  getItem(key: string): Promise<string | null>;
  setItem(key: string, value: string): Promise<unknown>;
  removeItem(key: string): Promise<unknown>;
}

/** Reads everything under the prefix first; later writes go to memory at once and to the storage in their order. */
export async function preload(storage: AsyncStorage, prefix = "ea."): Promise<Storage> {
  const values = new Map<string, string>();
  for (const key of (await storage.getAllKeys()).filter((name) => name.startsWith(prefix))) {
    const value = await storage.getItem(key);
    if (value !== null) values.set(key, value);
  }
  let writes: Promise<unknown> = Promise.resolve();
  const later = (write: () => Promise<unknown>): void => {
    writes = writes.then(write).catch(() => undefined);
  };
  return {
    get: (key) => values.get(key) ?? null,
    keys: () => [...values.keys()],
    set(key, value) {
      values.set(key, value);
      later(() => storage.setItem(key, value));
    },
    remove(key) {
      values.delete(key);
      later(() => storage.removeItem(key));
    },
  };
}
