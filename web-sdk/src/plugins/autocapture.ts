/**
 * What people click and send, without a line of code for each. Never what was put in: no value of any field is read,
 * and nothing of what can be edited. `data-ea-ignore` on an element keeps out all that is in it.
 */

import { cut } from "../browser/sizes.js";
import type { Plugin, Tracked } from "../browser/tracked.js";
import type { Properties } from "../types.js";

export interface AutocaptureOptions {
  /** Clicks on links, buttons and what has `data-ea-event`. */
  clicks?: boolean;
  /** Clicks on links to other hosts, as `outbound_link`. */
  links?: boolean;
  /** Clicks on links to files, as `file_download`. */
  downloads?: boolean;
  /** Forms that are sent, as `form_submit`. */
  forms?: boolean;
  /** Three clicks within a second at one place, as `rage_click`. */
  rage?: boolean;
}

const CLICKED = "a[href],button,summary,[role=button],input[type=button],input[type=submit],[data-ea-event]";
const FILES = /\.(7z|csv|dmg|docx?|epub|exe|gz|ics|mp[34]|msi|pdf|pkg|pptx?|rar|tar|txt|xlsx?|xml|zip)$/i;
const EDITED = "input,textarea,select,[contenteditable]:not([contenteditable=false])";
const RAGE = { clicks: 3, ms: 1_000, pixels: 30 };

/** A plug-in: `createClient({ …, plugins: [autocapture()] })`. */
export function autocapture(options: AutocaptureOptions = {}): Plugin {
  const { clicks = true, links = true, downloads = true, forms = true, rage = true } = options;
  return (client) => {
    if (rage) trackRage(client);
    client.listen(document, ["click", "auxclick"], (event) => {
      const target = seen(event);
      const element = target?.closest<HTMLElement>(CLICKED);
      if (!element) return;
      const link = element.closest<HTMLAnchorElement>("a[href]");
      const name = element.dataset.eaEvent;
      if (name) client.record(cut(name, 128), { properties: { ...described(element), ...named(element) } });
      else if (link && /^https?:$/.test(link.protocol) && (link.hasAttribute("download") || FILES.test(link.pathname))) {
        if (downloads) client.record("file_download", { properties: { url: cut(link.href), text: textOf(link) } });
      } else if (link && /^https?:$/.test(link.protocol) && link.host !== location.host) {
        if (links) client.record("outbound_link", { properties: { url: cut(link.href), text: textOf(link) } });
      } else if (clicks) client.record("element_click", { properties: { ...described(element), ...named(element) } });
    });
    if (forms) {
      client.listen(document, ["submit"], (event) => {
        const form = seen(event);
        const read = (name: string): string | undefined => form?.getAttribute(name) ?? undefined;
        if (!form) return;
        const properties = { form_id: read("id"), form_name: read("name"), action: read("action"), ...named(form as HTMLElement) };
        client.record("form_submit", { properties });
      });
    }
  };
}

function trackRage(client: Tracked): void {
  let last: { at: number; x: number; y: number }[] = [];
  client.listen(document, ["click"], (event) => {
    const target = seen(event) as HTMLElement | undefined;
    const { clientX: x, clientY: y, timeStamp: at } = event as MouseEvent;
    last = last.filter((click) => at - click.at <= RAGE.ms && Math.hypot(x - click.x, y - click.y) <= RAGE.pixels);
    last.push({ at, x, y });
    if (!target || target.closest(EDITED) || last.length < RAGE.clicks) return;
    last = [];
    client.record("rage_click", { properties: described(target) });
  });
}

/** What an event is about, unless it is to be ignored. */
function seen(event: Event): Element | undefined {
  const target = event.target as Element | null;
  return target?.closest && !target.closest("[data-ea-ignore]") ? target : undefined;
}

function described(element: HTMLElement): Properties {
  const read = (name: string): string | undefined => element.getAttribute(name)?.slice(0, 200) || undefined;
  return { tag: element.localName, element_id: read("id"), role: read("role"), text: textOf(element), href: read("href") };
}

/** What a person reads on it; nothing of what somebody may have typed. */
function textOf(element: Element): string | undefined {
  if (element.closest(EDITED)) return undefined;
  const copy = element.cloneNode(true) as Element;
  copy.querySelectorAll(`${EDITED},script,style,[data-ea-ignore]`).forEach((part) => part.remove());
  return cut((copy.textContent ?? "").replace(/\s+/g, " ").trim(), 200) || element.getAttribute("aria-label")?.slice(0, 200) || undefined;
}

/** `data-ea-plan="pro"` is the property `plan`. */
function named(element: HTMLElement): Properties {
  const found: Properties = {};
  for (const { name, value } of element.attributes) {
    const [, property] = /^data-ea-(?!event$|ignore$)(.+)/.exec(name) ?? [];
    if (property) found[property.replace(/-/g, "_")] = cut(value, 200);
  }
  return found;
}
