/** What a client is given in these tests instead of a browser: the same as an app in React Native or Electron gives. */

import { EventClient } from "../src/client.js";
import type { AnalyticsEvent, Answer, ClientOptions, Environment, Storage } from "../src/types.js";

export class MemoryStorage implements Storage {
  readonly values = new Map<string, string>();
  get = (key: string): string | null => this.values.get(key) ?? null;
  set = (key: string, value: string): void => void this.values.set(key, value);
  remove = (key: string): void => void this.values.delete(key);
  keys = (): string[] => [...this.values.keys()];
}

export const BLOCKED: Storage = {
  get: () => fail(),
  set: () => fail(),
  remove: () => fail(),
  keys: () => fail(),
};

function fail(): never {
  throw new Error("SecurityError");
}

export const OPTIONS: ClientOptions = { endpoint: "https://collect.example/", writeKey: "ea_1_2", flushInterval: 1_000 };

/** A clock that stands, a network that answers as it is told, and clients in it. */
export class World {
  at = Date.parse("2026-11-22T10:00:00Z");
  random = 0.5;
  online = true;
  readonly requests: { url: string; events: Sent[]; keepalive: boolean }[] = [];
  readonly beacons: Sent[][] = [];
  readonly storage: Storage;
  /** How the next requests are answered; then with 200. */
  readonly answers: (Answer | Error)[] = [];

  constructor(storage: Storage = new MemoryStorage()) {
    this.storage = storage;
  }

  get environment(): Environment {
    return {
      storage: this.storage,
      transport: {
        send: async (url, body, keepalive) => {
          this.requests.push({ url, events: parsed(body), keepalive });
          const answer = this.answers.shift() ?? { status: 200 };
          if (answer instanceof Error) throw answer;
          return answer;
        },
        beacon: (_, body) => this.beacons.push(parsed(body)) > 0,
      },
      now: () => this.at,
      random: () => this.random,
      online: () => this.online,
    };
  }

  client(options: Partial<ClientOptions> = {}, environment: Environment = {}): EventClient {
    return new EventClient({ ...OPTIONS, ...options }, { ...this.environment, ...environment });
  }

  /** All events that were sent, in order. */
  get sent(): Sent[] {
    return this.requests.flatMap((request) => request.events);
  }

  names(): string[] {
    return this.sent.map((event) => event.event);
  }

  stored(start: string): string[] {
    return this.storage.keys().filter((key) => key.startsWith(`ea.${start}`));
  }
}

export type Sent = AnalyticsEvent & { sent_at: string };

function parsed(body: string): Sent[] {
  return body.split("\n").map((line) => JSON.parse(line));
}

export function verdicts(...statuses: string[]): string {
  return JSON.stringify({ results: statuses.map((status) => ({ status })) });
}
