/** The client that needs no browser: ids, sessions, consent, and the way of an event into the queue. */

import { parsed } from "./parsed.js";
import { Queue } from "./queue.js";
import { Sender } from "./sender.js";
import { Shelf } from "./shelf.js";
import { fetchTransport } from "./transport.js";
import type { AnalyticsEvent, ClientOptions, Consent, Environment, Ids, Properties } from "./types.js";
import { uuid7 } from "./uuid.js";
import { LIBRARY } from "./version.js";

const DAY_MS = 86_400_000;
const REFUSED: Consent = { analytics: false, marketing: false, personalisation: false, sell_or_share: false };
/** What is kept about the person and goes when analytics is refused. */
const PERSONAL = ["id", "user", "group", "session", "sequence"];

/**
 * Collects events and sends them to a collector.
 *
 * No method throws, blocks or needs to be awaited. Events are kept in the environment's storage until the collector
 * has taken them, and carry the same `event_id` however often they are sent.
 */
export class EventClient {
  protected readonly _shelf: Shelf;
  protected readonly _sender: Sender;
  protected readonly _now: () => number;
  private readonly _queue: Queue;
  private readonly _batchSize: number;
  /** The page view that events belong to. */
  protected _pageViewId: string | undefined;
  private _lastSession: string | undefined;

  constructor(
    protected readonly _options: ClientOptions,
    protected readonly _environment: Environment = {},
  ) {
    const {
      endpoint,
      writeKey,
      path = "/v1/events",
      headers,
      name = "ea",
      flushInterval = 5_000,
      maxQueue = 1_000,
      batchSize = 50,
      storeOnConsent,
    } = _options;
    const { storage, transport = fetchTransport, lock = (work) => work(), settleMs = 0, now = Date.now, random = Math.random } = _environment;
    const online = (): boolean => !this._isOut() && _environment.online?.() !== false;
    const log = (what: string, ...details: unknown[]): void => this._log(what, ...details);
    this._now = now;
    this._batchSize = Math.min(Math.max(1, batchSize), 500);
    this._shelf = new Shelf(storage, `${name}.`);
    this._shelf.isHeld = !!storeOnConsent && !this._shelf.get("consent");
    this._queue = new Queue(this._shelf, maxQueue, this._batchSize, 5 * flushInterval);
    // The key goes in the address and the body as plain text: so browsers ask for no preflight, and beacons work.
    const url = `${`${endpoint}`.replace(/\/+$/, "")}${path}?write_key=${encodeURIComponent(writeKey)}`;
    const around = { transport, headers, lock, settleMs, online, now, random, log };
    this._sender = new Sender(url, flushInterval, this._queue, this._shelf, around);
    if (this._queue.waiting) this._sender.schedule(); // what an earlier page left
  }

  /** Something happened; `fields` are more fields of the event, such as `group_id`. */
  track(event: string, properties?: Properties, fields?: Partial<AnalyticsEvent>): void {
    this._safely(() => this._record(event, { properties, ...fields }));
  }

  /** A page was shown. */
  page(properties?: Properties): void {
    this._safely(() => {
      this._pageViewId = uuid7(this._now());
      this._record("page_view", { properties });
    });
  }

  /** A screen of an app was shown. */
  screen(name: string, properties?: Properties): void {
    this._safely(() => this._record("screen_view", { screen: { ...this._context().screen, name }, properties }));
  }

  /** The person is known: this and every later event carries the user id. */
  identify(userId: string, traits?: Properties): void {
    this._remember("identify", "user", userId, traits);
  }

  /** The person belongs to a group, such as a company: this and every later event carries its id. */
  group(groupId: string, traits?: Properties): void {
    this._remember("group", "group", groupId, traits);
  }

  /** Two ids are one person: `previousId` was used before `userId`. */
  alias(userId: string, previousId: string): void {
    this._safely(() => this._record("alias", { user_id: userId, properties: { previous_id: previousId } }));
  }

  /**
   * The person chose. Goes as `consent_changed`, with the properties (`source`, `policy_version`: where they were asked,
   * and by which text), also when it is a refusal; after a refusal of analytics nothing is collected, and the ids on the
   * device are forgotten.
   */
  setConsent(consent: Consent, properties?: Properties): void {
    this._choose(() => {
      const chosen = { ...this._said(), ...consent };
      this._shelf.set("consent", JSON.stringify(chosen));
      this._record("consent_changed", { properties });
      if (chosen.analytics === false) this._forget();
      if (chosen.analytics !== undefined) this._shelf.release();
    });
  }

  /** Collects and sends nothing any more, and forgets what waits and every id. Holds on this device until `optIn`. */
  optOut(): void {
    this._safely(() => {
      this._shelf.set("out", "1");
      this._queue.clear();
      this._forget();
      this._shelf.release();
    });
  }

  /** Undoes `optOut`, the option too. */
  optIn(): void {
    this._choose(() => this._shelf.set("out", "0"));
  }

  /** The person signed out: the next event begins as somebody new. */
  reset(): void {
    this._safely(() => this._forget());
  }

  /** Who this is, such as for events that your server sends; undefined where nothing is collected. */
  ids(): Ids | undefined {
    const at = this._now();
    return this._isAllowed() ? { anonymous_id: this._anonymousId(at, true), session_id: this._sessionId(at, true) } : undefined;
  }

  /** Goes on as the visitor, and in the session, of another site of yours. Not where somebody is signed in. */
  adopt({ anonymous_id, session_id }: Ids): void {
    const at = this._now();
    if (!this._isAllowed() || this._shelf.get("user") || this._shelf.get("id") === anonymous_id) return;
    this._forget();
    this._shelf.set("id", anonymous_id);
    this._shelf.set("session", `${session_id} ${at} ${at}`);
  }

  /** Sends what waits. Resolves when the attempt is over; what was not taken waits on. */
  async flush(): Promise<void> {
    await this._sender.send();
    if (this._queue.own) await this._sender.send(); // what came while the first was under way
  }

  /** Ends the client: timers and listeners go, what waits stays on the device for the next one. */
  close(): void {
    this._safely(() => this._sender.stop());
  }

  /** Events that wait for the collector's verdict, of this page; and how many were dropped because too many waited. */
  get queued(): { waiting: number; dropped: number } {
    return { waiting: this._queue.own, dropped: this._queue.dropped };
  }

  /** What is before a choice counts as it was before. */
  private _choose(choice: () => void): void {
    for (const step of [() => this._sendView(), choice, () => this._sendView()]) this._safely(step);
  }

  /** Records the page view that waits, if there is one: other events come after it. */
  protected _sendView(): void {}

  private _remember(event: string, whose: "user" | "group", id: string, traits?: Properties): void {
    this._safely(() => {
      if (this._record(event, { [`${whose}_id`]: id, traits })) this._shelf.set(whose, id);
    });
  }

  /** Whether events are collected. */
  protected _isAllowed(): boolean {
    return !this._isOut() && this._consent()?.analytics !== false;
  }

  /**
   * Makes an event and queues it; whether it did. `quiet`: it is no act of the person, and lengthens no session.
   */
  protected _record(name: string, fields: Partial<AnalyticsEvent>, quiet = false): boolean {
    if (name !== "page_view") this._sendView();
    const isRefused = !this._isAllowed();
    if (isRefused && (name !== "consent_changed" || this._isOut())) return false;
    const at = this._now();
    const made: AnalyticsEvent = {
      event_id: uuid7(at),
      event: name,
      anonymous_id: this._anonymousId(at, !isRefused),
      user_id: this._shelf.get("user"),
      group_id: this._shelf.get("group"),
      session_id: isRefused ? undefined : this._sessionId(at, quiet),
      page_view_id: this._pageViewId,
      occurred_at: new Date(at).toISOString(),
      platform: this._options.platform ?? "web",
      app: this._options.app,
      consent: this._consent(),
      ...this._context(),
      ...fields,
      library: LIBRARY,
    };
    const hook = this._options.beforeSend;
    const event = hook ? hook(made) : made;
    this._log(event ? name : `${name} dropped`, event);
    if (!event) return true;
    if (!isRefused) event.sequence = this._nextSequence();
    // Half a character, as of a text that was cut in its middle, is no UTF-8: the collector could not read the event.
    const json = JSON.stringify(event).replace(/\\(ud...|.)/g, (escape) => (escape[5] ? "\\ufffd" : escape));
    this._queue.add(event.event_id, json);
    if (this._queue.own >= this._batchSize) void this._sender.send();
    else this._sender.schedule();
    return true;
  }

  /** Never throws into the application. */
  protected _safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      this._log("failed", error);
    }
  }

  protected _context(): Partial<AnalyticsEvent> {
    return this._environment.context?.() ?? {};
  }

  protected _log(what: string, ...details: unknown[]): void {
    if (this._options.debug) console.debug("[event-assets]", what, ...details);
  }

  private _isOut(): boolean {
    return !!Number(this._shelf.get("out") ?? this._options.optOut);
  }

  /** What the person chose here; else what the browser says for them; else what the site assumes. */
  private _said(): Consent | undefined {
    const { honourSignals = true, consent } = this._options;
    return parsed<Consent>(this._shelf.get("consent")) ?? (honourSignals && this._environment.signal?.() ? REFUSED : consent);
  }

  /** The same, and that they are not to be sold or shared where their browser says so and they did not agree to it here. */
  private _consent(): Consent | undefined {
    const said = this._said();
    return !said?.sell_or_share && this._environment.gpc?.() ? { ...said, sell_or_share: false, gpc: true } : said;
  }

  private _anonymousId(at: number, keep: boolean): string {
    const known = this._shelf.get("id");
    if (known) return known;
    const made = uuid7(at);
    if (keep) this._shelf.set("id", made);
    return made;
  }

  private _sessionId(at: number, quiet: boolean): string {
    if (quiet && this._lastSession) return this._lastSession;
    const [id, start, last] = this._shelf.get("session")?.split(" ") ?? [];
    const timeout = (this._options.sessionTimeout ?? 30) * 60_000;
    const goesOn = id && Math.abs(at - Number(last)) <= timeout && at - Number(start) <= DAY_MS;
    this._lastSession = goesOn ? id : uuid7(at);
    this._shelf.set("session", `${this._lastSession} ${goesOn ? start : at} ${at}`);
    return this._lastSession;
  }

  private _nextSequence(): number {
    const next = parseInt(this._shelf.get("sequence") ?? "-1") + 1;
    this._shelf.set("sequence", `${next}`);
    return next;
  }

  private _forget(): void {
    PERSONAL.forEach((key) => this._shelf.remove(key));
    this._lastSession = undefined;
  }
}
