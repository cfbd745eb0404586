/** The client for web pages: `createClient({ endpoint, writeKey })`. */

import { BrowserClient, type BrowserOptions } from "./browser/client.js";
import { EventClient } from "./client.js";

/** Begins to collect. On a server, where a page is only rendered, it gives a client that does nothing. */
export function createClient(options: BrowserOptions): EventClient {
  return typeof document === "undefined" ? new EventClient({ ...options, optOut: true }) : new BrowserClient(options);
}

export { EventClient } from "./client.js";
export type { BrowserOptions } from "./browser/client.js";
export type { Plugin, Tracked } from "./browser/tracked.js";
export type * from "./types.js";
