/** What can be read of the page and its window, within the bounds of an event. */

import type { Size } from "../types.js";

const LONGEST = 8_000;

/** Texts of a page have no bound; those of an event do. */
export function cut(text: string, most = LONGEST): string {
  return text.slice(0, most);
}

export function currentUrl(): string {
  return cut(location.href);
}

export function viewportSize(): Size {
  return { width: innerWidth, height: innerHeight };
}

export function screenSize(): Size {
  return { width: screen.width, height: screen.height };
}

/** The whole document, also what is scrolled out of sight. */
export function documentSize(): Size {
  const { documentElement: root, body } = document;
  return {
    width: Math.max(root.scrollWidth, body?.scrollWidth ?? 0),
    height: Math.max(root.scrollHeight, body?.scrollHeight ?? 0),
  };
}
