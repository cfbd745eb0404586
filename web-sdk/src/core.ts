/** The client without a browser: for React Native, Electron's main process, workers and tests. */

export { EventClient } from "./client.js";
export { leaseLock } from "./lease.js";
export { preload, type AsyncStorage } from "./preload.js";
export { fetchTransport } from "./transport.js";
export type * from "./types.js";
export { uuid7 } from "./uuid.js";
