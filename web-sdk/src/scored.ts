/** `await client.segment()`: where a model puts the visitor now, in time for what the page shows, or a default. */

import type { EventClient } from "./client.js";
import type { AnalyticsEvent, ClientOptions } from "./types.js";

export interface ScoredOptions {
  /** A read key that names the model; in a page it is public. */
  readKey: string;
  /** The model; not needed where the key may ask one only. */
  model?: string;
  /** Milliseconds to wait for an answer. */
  timeout?: number;
  /** The segment where no answer came in time, nothing is collected of the visitor, or they refused personalisation. */
  otherwise?: string;
}

/** What of the visitor moved the score, the most telling first. */
export interface Reason {
  feature: string;
  value: number | string | null;
  effect: number;
}

export interface Segment {
  segment: string;
  /** The probability; null where a rule or the default says the segment. */
  score: number | null;
  by: "model" | "rule" | "default";
  reasons: Reason[];
}

export interface Scored {
  /** Where the visitor is now. Never rejects, and is there within the time-out. */
  segment(options?: Partial<ScoredOptions>): Promise<Segment>;
}

/** What was collected of a device on a day: how many events of each name. */
interface Today {
  day: string;
  of: string | undefined;
  events: Record<string, number>;
}

const MOST_NAMES = 200;

/** A client that counts what it collects today, and asks by it: `scored(createClient, { endpoint, writeKey }, { readKey })`. */
export function scored<O extends ClientOptions, C extends EventClient>(
  create: (options: O) => C,
  options: O,
  asking: ScoredOptions,
): C & Scored {
  const key = `${options.name ?? "ea"}.today`;
  const kept = keptIn(options.storeOnConsent ? undefined : storage());
  const beforeSend = (made: AnalyticsEvent): AnalyticsEvent | null | undefined => {
    const event = options.beforeSend ? options.beforeSend(made) : made;
    if (event) count(event);
    return event;
  };
  const today = (day: string, of: string | undefined): Today => {
    const found = kept.get(key);
    return found?.day === day && found.of === of ? found : { day, of, events: {} };
  };
  const count = ({ event, occurred_at, anonymous_id }: AnalyticsEvent): void => {
    const now = today(occurred_at.slice(0, 10), anonymous_id);
    if (event in now.events || Object.keys(now.events).length < MOST_NAMES) now.events[event] = (now.events[event] ?? 0) + 1;
    kept.set(key, now);
  };
  const client = create({ ...options, beforeSend });
  const segment = async (more: Partial<ScoredOptions> = {}): Promise<Segment> => {
    const { readKey, model, timeout = 300, otherwise = "" } = { ...asking, ...more };
    const unknown: Segment = { segment: otherwise, score: null, by: "default", reasons: [] };
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeout);
    try {
      const refused = (client as EventClient)["_consent"]()?.personalisation === false;
      const anonymous_id = refused ? undefined : client.ids()?.anonymous_id;
      if (!anonymous_id) {
        kept.remove(key);
        return refused ? { ...unknown, reasons: [{ feature: "consent.personalisation", value: "refused", effect: 0 }] } : unknown;
      }
      const { events } = today(new Date().toISOString().slice(0, 10), anonymous_id);
      const answer = await fetch(`${options.endpoint.replace(/\/+$/, "")}/v1/segment`, {
        method: "POST",
        headers: { "x-read-key": readKey, "content-type": "application/json" },
        body: JSON.stringify({ model, anonymous_id, today: events }),
        credentials: "omit",
        signal: stop.signal,
      });
      return answer.ok ? ((await answer.json()) as Segment) : unknown;
    } catch {
      return unknown;
    } finally {
      clearTimeout(timer);
    }
  };
  return Object.assign(client, { segment });
}

function storage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

/** Where counts are: in memory, and where there is a storage that takes them, over pages. */
function keptIn(place: Storage | undefined): { get(key: string): Today | undefined; set(key: string, now: Today): void; remove(key: string): void } {
  let memory: Today | undefined;
  const safely = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch {
      return undefined;
    }
  };
  return {
    get: (key) => safely(() => JSON.parse(place?.getItem(key) ?? "null") as Today | null) ?? memory,
    set(key, now) {
      memory = now;
      safely(() => place?.setItem(key, JSON.stringify(now)));
    },
    remove(key) {
      memory = undefined;
      safely(() => place?.removeItem(key));
    },
  };
}
