/** What trackers and client know of each other: the page view, the moments of a page, and how to record an event. */

import type { AnalyticsEvent, Ids, Properties } from "../types.js";

/** One page view, from its address to the next. */
export interface View {
  id: string;
  at: number;
  url: string;
  referrer: string;
  properties?: Properties;
  sent?: boolean;
}

/** What is begun with a client: `plugins: [autocapture()]`. */
export type Plugin = (client: Tracked) => void;

/** What trackers and plug-ins see of the client. */
export interface Tracked {
  readonly view: View | undefined;
  record(name: string, fields: Partial<AnalyticsEvent>, quiet?: boolean): void;
  /** Listens until the client is closed; the listener never throws into the page. */
  listen(target: EventTarget, names: string[], listener: (event: Event) => void): void;
  ids(): Ids | undefined;
  adopt(ids: Ids): void;
  on(moment: Moment, listener: () => void): void;
}

/** A page view begins; the page goes out of sight, or comes back into it; the client is closed. */
export type Moment = "view" | "hidden" | "visible" | "closed";
