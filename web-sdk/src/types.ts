/** What an event is, and what a client is made of. Types only: no code. */

export type Properties = Record<string, unknown>;
export type Platform = "web" | "ios" | "android" | "desktop" | "server" | "tv" | "console" | "iot";

/** What the person agreed to; what is absent was not asked. */
export interface Consent {
  analytics?: boolean;
  marketing?: boolean;
  personalisation?: boolean;
  /** To be sold or shared, in the words of the CCPA. */
  sell_or_share?: boolean;
  /** A browser's Global Privacy Control answered that. */
  gpc?: boolean;
}

/** Who somebody is to the client, in the words of an event. */
export interface Ids {
  anonymous_id: string;
  session_id: string;
}

export interface Size {
  width?: number;
  height?: number;
}

/** The device. `id` and `advertising_id` are left out where others may not know the person. */
export interface Device {
  model?: string;
  os?: string;
  os_version?: string;
  locale?: string;
  timezone?: string;
  manufacturer?: string;
  id?: string;
  advertising_id?: string;
  ad_tracking?: boolean;
}

/** One event, as the collector takes it. `sent_at` is added when it is sent. */
export interface AnalyticsEvent {
  event_id: string;
  event: string;
  schema_version?: number;
  anonymous_id?: string;
  user_id?: string;
  session_id?: string;
  page_view_id?: string;
  group_id?: string;
  install_id?: string;
  sequence?: number;
  occurred_at: string;
  platform: Platform;
  app?: { id?: string; version?: string; build?: string };
  page?: { url?: string; title?: string; referrer?: string };
  screen?: { name?: string } & Size;
  viewport?: Size;
  document?: Size;
  scroll?: { x_max?: number; y_max?: number };
  campaign?: { source?: string; medium?: string; name?: string; term?: string; content?: string };
  device?: Device;
  consent?: Consent;
  properties?: Properties;
  traits?: Properties;
  /** Traits that hold where the person has none of that name yet. */
  traits_once?: Properties;
  library?: { name: string; version: string };
}

export interface ClientOptions {
  /** Where the collector is: `https://collect.example.com`. */
  endpoint: string;
  /** The write key of this source. It is public. */
  writeKey: string;
  platform?: Platform;
  app?: AnalyticsEvent["app"];
  /** Events of one request, at most 500. */
  batchSize?: number;
  /** Milliseconds that an event waits for others. */
  flushInterval?: number;
  /** Events that wait at most; when more come, the oldest go. */
  maxQueue?: number;
  /** Minutes without an event after which the next one begins a session. */
  sessionTimeout?: number;
  /** Sees each event before it is stored, may change it, and drops it by returning null. If it throws, the event is dropped. */
  beforeSend?: (event: AnalyticsEvent) => AnalyticsEvent | null | undefined;
  /** Collect and send nothing, until `optIn()`. */
  optOut?: boolean;
  /** What holds until the person chooses. With `analytics: false` nothing is collected before `setConsent`. */
  consent?: Consent;
  /** Take Do-Not-Track for a refusal, unless the person chose otherwise on this site. */
  honourSignals?: boolean;
  /** Prefix of what is stored on the device. */
  name?: string;
  /** Store nothing on the device, ids and events that wait neither, until `setConsent` says yes or no to analytics. */
  storeOnConsent?: boolean;
  /** Where the collector takes events; another one behind a proxy of yours. */
  path?: string;
  /** Headers of every request, such as a proxy of yours asks for; beacons have none, so that none is sent. */
  headers?: Record<string, string>;
  /** Prints what is collected and sent. */
  debug?: boolean;
}

/** Where a client keeps things. Methods may throw: what cannot be stored is held in memory. */
export interface Storage {
  get(key: string): string | null | undefined;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

/** What a request came to. `status` 0: no answer. `retryAfter` is the header as it came. */
export interface Answer {
  status: number;
  retryAfter?: string | null;
  body?: string;
}

/** How a client sends. */
export interface Transport {
  /** `keepalive`: the request is small enough to outlive the page. */
  send(url: string, body: string, keepalive: boolean, headers?: Record<string, string>): Promise<Answer>;
  /** Sends without an answer while the page goes away; false if it cannot. */
  beacon?(url: string, body: string): boolean;
}

/** Runs `work` while nobody else who shares the storage runs theirs. */
export type Lock = (work: () => Promise<boolean>) => Promise<boolean>;

/** All that a client needs of where it runs. Everything may be left out but, where there is no `fetch`, `transport`. */
export interface Environment {
  storage?: Storage;
  transport?: Transport;
  lock?: Lock;
  /** Milliseconds until a write to the storage is seen by everybody who shares it; nobody else does: 0. */
  settleMs?: number;
  online?: () => boolean;
  /** Whether the person asks not to be tracked. */
  signal?: () => boolean;
  /** Whether the browser says that the person is not to be sold or shared (Global Privacy Control). */
  gpc?: () => boolean | undefined;
  /** Fields of every event: device, page. */
  context?: () => Partial<AnalyticsEvent>;
  now?: () => number;
  random?: () => number;
}
