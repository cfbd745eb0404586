/**
 * One visitor over several domains of yours. A click on a link to one of them adds who the visitor is, for two minutes;
 * the page there goes on with it and takes it out of its address, before its first page view.
 */

import type { Plugin } from "../browser/tracked.js";

export interface CrossDomainOptions {
  /** Domains whose links are decorated, and from which visitors are taken over; their subdomains too. */
  domains: string[];
  /** Name of the parameter. */
  parameter?: string;
}

const LIFE_MS = 120_000;

/** A plug-in: `createClient({ …, plugins: [crossDomain({ domains: ["example.com", "example.org"] })] })`. */
export function crossDomain({ domains, parameter = "_ea" }: CrossDomainOptions): Plugin {
  const isOurs = (host: string): boolean => domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
  const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : "");
  return (client) => {
    const here = new URL(location.href);
    const given = here.searchParams.get(parameter);
    if (given !== null) {
      here.searchParams.delete(parameter);
      history.replaceState(history.state, "", here);
      const [at = "", anonymous_id, session_id] = given.split(".");
      const age = Date.now() - parseInt(at, 36);
      // Whoever passes a link on to others would make them one person with themselves: it dies soon, and elsewhere.
      if (anonymous_id && session_id && Math.abs(age) <= LIFE_MS && isOurs(hostOf(document.referrer))) {
        client.adopt({ anonymous_id, session_id });
      }
    }
    client.listen(document, ["click", "auxclick", "contextmenu"], (event) => {
      const link = (event.target as Element | null)?.closest?.<HTMLAnchorElement>("a[href]");
      if (!link || !/^https?:$/.test(link.protocol) || link.hostname === location.hostname || !isOurs(link.hostname)) return;
      const ids = client.ids();
      if (!ids) return;
      const url = new URL(link.href);
      url.searchParams.set(parameter, [Date.now().toString(36), ids.anonymous_id, ids.session_id].join("."));
      link.href = url.href;
    });
  };
}
