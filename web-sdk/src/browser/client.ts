/** The client of a web page: page views, and what the trackers beside this file see, on top of the core. */

import { EventClient } from "../client.js";
import type { AnalyticsEvent, ClientOptions, Environment, Properties } from "../types.js";
import { uuid7 } from "../uuid.js";
import { browserEnvironment } from "./environment.js";
import { trackErrors } from "./errors.js";
import { trackPings } from "./pings.js";
import { currentUrl, cut, documentSize, screenSize, viewportSize } from "./sizes.js";
import type { Moment, Plugin, Tracked, View } from "./tracked.js";
import { trackVitals } from "./vitals.js";

/** The title of a page that a script shows is set a moment after its address. */
const TITLE_MS = 50;

export interface BrowserOptions extends ClientOptions {
  /** Page views on load and on each change of the address. Without it, call `page()`. */
  pageViews?: boolean;
  /** A page ping every ten seconds while the page is visible and in use. */
  pings?: boolean;
  /** Core Web Vitals of each load, as `web_vitals`. */
  vitals?: boolean;
  /** Errors that nobody caught, as `app_error`. */
  errors?: boolean;
  /** Who the visitor is stands in a cookie of the whole site too, so that its hosts see one visitor. */
  cookie?: boolean;
  /** What is loaded apart, such as `autocapture()`. */
  plugins?: Plugin[];
}

export class BrowserClient extends EventClient implements Tracked {
  view: View | undefined;
  private readonly _listeners: [Moment, () => void][] = [];
  private _titleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BrowserOptions, environment: Environment = {}) {
    super(options, { ...browserEnvironment(options.name ?? "ea", options.cookie ?? true), ...environment });
    this._safely(() => this._whenShown(() => this._start(options)));
  }

  override page(properties?: Properties): void {
    this._safely(() => this._open(this.view?.url ?? document.referrer, properties));
  }

  override close(): void {
    super.close();
    this._safely(() => {
      clearTimeout(this._titleTimer);
      this._tell("closed");
    });
  }

  /** Begins a plug-in; one that fails harms nothing else. */
  use(plugin: Plugin): void {
    this._safely(() => plugin(this));
  }

  record(name: string, fields: Partial<AnalyticsEvent>, quiet?: boolean): void {
    this._safely(() => this._record(name, fields, quiet));
  }

  listen(target: EventTarget, names: string[], listener: (event: Event) => void): void {
    const safe = (event: Event): void => this._safely(() => listener(event));
    for (const name of names) {
      target.addEventListener(name, safe, { capture: true, passive: true });
      this.on("closed", () => target.removeEventListener(name, safe, true));
    }
  }

  on(moment: Moment, listener: () => void): void {
    this._listeners.push([moment, listener]);
  }

  protected override _context(): Partial<AnalyticsEvent> {
    const page = { url: currentUrl(), title: cut(document.title), referrer: this.view?.referrer };
    return { ...super._context(), page };
  }

  private _tell(moment: Moment): void {
    for (const [awaited, listener] of this._listeners) if (awaited === moment) listener();
  }

  /** A page that is rendered ahead is no visit until it is shown. */
  private _whenShown(start: () => void): void {
    if ((document as Document & { prerendering?: boolean }).prerendering) {
      document.addEventListener("prerenderingchange", () => this._safely(start), { once: true });
    } else start();
  }

  private _start(options: BrowserOptions): void {
    const { pageViews = true, pings = true, vitals = true, errors = true, plugins = [] } = options;
    for (const plugin of plugins) this.use(plugin);
    if (errors) trackErrors(this);
    if (pings) trackPings(this);
    if (vitals) trackVitals(this);
    if (pageViews) {
      this._open(document.referrer);
      this._followHistory();
    }
    this._followPage(pageViews);
  }

  /** A page view begins. It is recorded once its title can be known, or with the first event after it. */
  private _open(referrer: string, properties?: Properties): void {
    this._sendView();
    this.view = { id: uuid7(this._now()), at: this._now(), url: currentUrl(), referrer: cut(referrer), properties };
    this._pageViewId = this.view.id;
    this._tell("view");
    this._titleTimer = setTimeout(() => this._safely(() => this._sendView()), TITLE_MS);
  }

  /** Records the page view that waits, if it may be: after a refusal it waits for consent. */
  protected override _sendView(): void {
    clearTimeout(this._titleTimer);
    const { view } = this;
    if (!view || view.sent) return;
    if (!this._isAllowed()) {
      view.at = 0;
      return;
    }
    view.sent = true;
    const title = cut(document.title);
    this._record("page_view", {
      occurred_at: new Date(view.at || this._now()).toISOString(),
      page: { url: view.url, title, referrer: view.referrer },
      screen: screenSize(),
      viewport: viewportSize(),
      document: documentSize(),
      properties: view.properties,
    });
  }

  private _followHistory(): void {
    const look = (): void =>
      this._safely(() => {
        const { view } = this;
        if (view && route(currentUrl()) !== route(view.url)) this._open(view.url);
      });
    for (const name of ["pushState", "replaceState"] as const) {
      const original = history[name];
      let on = true;
      history[name] = function (this: History, ...state: Parameters<History["pushState"]>): void {
        original.apply(this, state);
        if (on) look();
      };
      this.on("closed", () => (on = false));
    }
    this.listen(window, ["popstate"], look);
  }

  private _followPage(pageViews: boolean): void {
    const hide = (): void => {
      this._sendView();
      this._tell("hidden");
    };
    this.listen(document, ["visibilitychange"], () => {
      if (document.visibilityState === "hidden") {
        hide();
        void this._sender.send();
      } else this._tell("visible");
    });
    this.listen(window, ["pagehide"], () => {
      hide();
      this._sender.beacon();
    });
    this.listen(window, ["pageshow"], (event) => {
      if (!(event as PageTransitionEvent).persisted) return;
      this._sender.resume();
      if (pageViews) this._open(currentUrl()); // shown again by the back button
    });
    this.listen(window, ["online"], () => this._sender.hurry());
  }
}

/** What of an address names a page: the fragment does where it is a path (`#/cart`, `#!cart`). */
function route(url: string): string {
  return url.replace(/#(?![/!]).*/, "");
}
