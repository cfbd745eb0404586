/** Sending with `fetch`, which browsers, Node, React Native and Electron have. */

import type { Transport } from "./types.js";

const TIMEOUT_MS = 15_000;

export const fetchTransport: Transport = {
  async send(url, body, keepalive, more) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
    try {
      const headers = { "content-type": "text/plain", ...more };
      const answer = await fetch(url, { method: "POST", body, keepalive, headers, credentials: "omit", signal: stop.signal });
      return { status: answer.status, retryAfter: answer.headers.get("retry-after"), body: await answer.text() };
    } finally {
      clearTimeout(timer);
    }
  },
};
