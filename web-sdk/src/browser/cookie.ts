/**
 * What is known about the person, in one cookie of the registrable domain beside `localStorage`: so the hosts of a site
 * see one visitor. Where there is the cookie it is the whole truth, as another host may have changed it.
 */

import { parsed } from "../parsed.js";
import type { Storage } from "../types.js";

type Known = Record<string, string | null | undefined>;
const YEAR_S = 31_536_000;

/** `local`, and for what hosts share the cookie `name`. Others on this origin are not touched. */
export function sharedStorage(local: Storage, name: string): Storage {
  let domain: string | undefined;
  // Every host keeps for itself which events wait (`q.…`), and until when (`wait`).
  const shared = RegExp(`^${name}\\.[^qw]`);
  const read = (cookie = name): string | undefined => document.cookie.match(`(?:^|; )${cookie}=([^;]+)`)?.[1];
  const write = (cookie: string, seconds = YEAR_S): void => {
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = `${cookie};path=/;samesite=lax;max-age=${seconds}${domain && `;domain=${domain}`}${secure}`;
  };
  const known = (key: string): Known | undefined => (shared.test(key) ? parsed(decodeURIComponent(read() ?? "")) : undefined);
  /** The shortest domain for which the browser takes a cookie: it takes none for a public suffix, nor for an address. */
  const find = (): void => {
    const parts = location.hostname.split(".");
    for (let at = parts.length; at--; ) {
      domain = parts.slice(at).join(".");
      write("ea_=1", 9);
      if (read("ea_")) return write("ea_=", 0);
    }
    domain = "";
  };
  const change = (key: string, value?: string): void => {
    if (!shared.test(key)) return;
    if (domain === undefined) find();
    const all = known(key) ?? Object.fromEntries(local.keys().filter((each) => shared.test(each)).map((each) => [each, local.get(each)]));
    write(`${name}=${encodeURIComponent(JSON.stringify({ ...all, [key]: value }))}`);
  };
  return {
    keys: local.keys,
    get: (key) => {
      const all = known(key);
      return all ? all[key] : local.get(key);
    },
    set(key, value) {
      change(key, value);
      local.set(key, value);
    },
    remove(key) {
      change(key);
      local.remove(key);
    },
  };
}
