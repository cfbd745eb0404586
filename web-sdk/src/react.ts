/** For React: one client for the tree below a provider, and hooks that give it. */

import { createContext, createElement, useContext, useEffect, useRef, type ReactNode } from "react";
import type { EventClient } from "./client.js";
import { createClient, type BrowserOptions } from "./index.js";
import type { Properties } from "./types.js";

const Client = createContext<EventClient | undefined>(undefined);
/** One client a page and key, however often React makes a tree anew. */
const clients = new Map<string, EventClient>();

export interface AnalyticsProviderProps {
  /** Options of the client that is made; once made, it stays. Not with `client`. */
  options?: BrowserOptions;
  /** A client of your own. */
  client?: EventClient;
  children?: ReactNode;
}

/** Gives its tree a client. On a server, where pages are only rendered, that client does nothing. */
export function AnalyticsProvider({ options, client, children }: AnalyticsProviderProps): ReactNode {
  const made = useRef<EventClient | undefined>(undefined);
  made.current ??= client ?? (options && clientOf(options));
  if (!made.current) throw new Error("AnalyticsProvider needs `options` or a `client`");
  return createElement(Client.Provider, { value: made.current }, children);
}

/** The client: `const analytics = useAnalytics(); analytics.track("Signed Up")`. */
export function useAnalytics(): EventClient {
  const client = useContext(Client);
  if (!client) throw new Error("useAnalytics needs an AnalyticsProvider above it");
  return client;
}

/** Records the event once the component is shown, and again when the name changes. */
export function useTrack(event: string, properties?: Properties): void {
  const client = useAnalytics();
  const said = useRef(properties);
  said.current = properties;
  /** React runs effects twice in StrictMode, and again for what was hidden for a while. */
  const told = useRef<[EventClient, string] | undefined>(undefined);
  useEffect(() => {
    if (told.current?.[0] === client && told.current[1] === event) return;
    told.current = [client, event];
    client.track(event, said.current);
  }, [client, event]);
}

function clientOf(options: BrowserOptions): EventClient {
  if (typeof document === "undefined") return createClient(options);
  const key = `${options.name ?? "ea"} ${options.writeKey}`;
  const client = clients.get(key) ?? createClient(options);
  clients.set(key, client);
  return client;
}
