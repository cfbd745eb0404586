/** The client without a browser: for React Native, Electron's main process, workers and tests. */

export { EventClient } from "./client";
export { leaseLock } from "./lease";
export { preload, type AsyncStorage } from "./preload";
export { fetchTransport } from "./transport";
export type * from "./types";
export { uuid7 } from "./uuid";
