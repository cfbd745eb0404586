/**
 * Page pings: one for every ten seconds that the page was visible, if it was in use during them. So no two fall into one
 * ten-second slot, and the pings of a page view count its engaged seconds.
 */

import { documentSize, viewportSize } from "./sizes.js";
import type { Tracked } from "./tracked.js";

const HEARTBEAT_MS = 10_000;
const USE = ["pointerdown", "pointermove", "keydown", "wheel", "touchmove", "scroll"];

export function trackPings(client: Tracked): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let since = 0;
  let left = HEARTBEAT_MS;
  let visibleMs = 0;
  let inUse = false;
  let scroll = { x_max: 0, y_max: 0 };

  const seen = (): { x_max: number; y_max: number } => ({ x_max: Math.round(scrollX), y_max: Math.round(scrollY) });

  const begin = (): void => {
    left = HEARTBEAT_MS;
    inUse = false;
    scroll = seen();
  };

  const pause = (): void => {
    if (!timer) return;
    clearTimeout(timer);
    timer = undefined;
    const spent = Math.min(Math.max(0, Date.now() - since), left);
    left -= spent;
    visibleMs += spent;
  };

  const resume = (): void => {
    if (timer || document.visibilityState === "hidden") return;
    since = Date.now();
    timer = setTimeout(beat, left);
  };

  const beat = (): void => {
    pause();
    if (left === 0) {
      if (inUse && client.view) ping();
      begin();
    }
    resume(); // timers may run a little early
  };

  const ping = (): void => {
    const properties = { visible_seconds: Math.round(visibleMs / 1000) };
    client.record("page_ping", { scroll, viewport: viewportSize(), document: documentSize(), properties });
  };

  client.listen(window, USE, () => {
    inUse = true;
    const { x_max, y_max } = seen();
    scroll = { x_max: Math.max(scroll.x_max, x_max), y_max: Math.max(scroll.y_max, y_max) };
  });
  client.on("view", () => {
    pause();
    begin();
    visibleMs = 0;
    resume();
  });
  client.on("hidden", pause);
  client.on("visible", resume);
  client.on("closed", pause);
}
