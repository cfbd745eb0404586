/** Clicks on links that lead away, and forms that are sent. What a person put into a form is never looked at. */

import { cut } from "./sizes.js";
import type { Tracked } from "./tracked.js";

export function trackLinks(client: Tracked): void {
  client.listen(document, ["click", "auxclick"], (event) => {
    const link = (event.target as Element | null)?.closest?.<HTMLAnchorElement>("a[href]");
    if (!link || !/^https?:/.test(link.protocol) || link.host === location.host) return;
    const properties = { url: cut(link.href), text: cut(link.textContent?.trim() ?? "", 200) };
    client.record("outbound_link", { properties });
  });
}

export function trackForms(client: Tracked): void {
  client.listen(document, ["submit"], (event) => {
    const form = event.target as HTMLFormElement;
    const read = (name: string): string | undefined => form.getAttribute(name) ?? undefined;
    client.record("form_submit", { properties: { form_id: read("id"), form_name: read("name"), action: read("action") } });
  });
}
