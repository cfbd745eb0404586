/** What a browser gives a client: localStorage, fetch and beacons, Web Locks, the person's privacy signal, the device. */

import { sharedStorage } from "./cookie.js";
import { fetchTransport } from "../transport.js";
import type { AnalyticsEvent, Environment, Lock, Storage } from "../types.js";

export function browserEnvironment(name: string, hasCookie: boolean): Environment {
  return {
    storage: hasCookie ? sharedStorage(storage, name) : storage,
    transport: { ...fetchTransport, beacon: (url, body) => navigator.sendBeacon(url, body) }, // a string goes as text/plain
    // Without it (pages that are not secure) two tabs may send what another left: under the same ids, it counts once.
    lock: navigator.locks && webLock(`${name}.send`),
    settleMs: 250,
    online: () => navigator.onLine,
    signal: () => navigator.doNotTrack === "1",
    gpc: () => (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl,
    context: () => ({ device: device() }),
  };
}

/** `localStorage` is looked up at each use: where it is blocked, even looking throws. */
const storage: Storage = {
  get: (key) => localStorage.getItem(key),
  set: (key, value) => localStorage.setItem(key, value),
  remove: (key) => localStorage.removeItem(key),
  keys: () => Object.keys(localStorage),
};

function webLock(name: string): Lock {
  return async (work) => {
    let began = false;
    const locked = (): Promise<boolean> => {
      began = true;
      return work();
    };
    try {
      return await navigator.locks.request(name, locked);
    } catch (error) {
      if (began) throw error;
      return work(); // a frame without an origin may not lock, and shares no storage
    }
  };
}

function device(): AnalyticsEvent["device"] {
  return { locale: navigator.language, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}
