/**
 * Core Web Vitals of a load, as Google defines them: largest contentful paint, interaction to next paint (the worst
 * interaction, leaving one out for every fifty), cumulative layout shift (the worst window of shifts at most a second
 * apart and five seconds long). Told once, when the page is first hidden; a browser that cannot measure one leaves it out.
 */

import type { Tracked } from "./tracked.js";

interface Shift extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
}

interface Interaction extends PerformanceEntry {
  interactionId?: number;
}

export function trackVitals(client: Tracked): void {
  const observers: [PerformanceObserver, (entry: PerformanceEntry) => void][] = [];
  const observe = (type: string, each: (entry: PerformanceEntry) => void, more?: object): boolean => {
    try {
      if (!PerformanceObserver.supportedEntryTypes.includes(type)) return false;
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(each));
      observer.observe({ type, buffered: true, ...more });
      observers.push([observer, each]);
      return true;
    } catch {
      return false;
    }
  };

  const navigation = performance.getEntriesByType("navigation")[0] as { activationStart?: number } | undefined;
  const shownAt = navigation?.activationStart ?? 0; // of a page that was rendered ahead
  let lcp: number | undefined;
  // A page that was opened in the background painted for nobody.
  if (document.visibilityState !== "hidden") {
    observe("largest-contentful-paint", (entry) => (lcp = Math.max(0, Math.round(entry.startTime - shownAt))));
  }

  const durations = new Map<number, number>();
  observe(
    "event",
    (entry) => {
      const id = (entry as Interaction).interactionId;
      if (id) durations.set(id, Math.max(durations.get(id) ?? 0, entry.duration));
    },
    { durationThreshold: 40 },
  );

  let [worst, sum, first, last] = [0, 0, 0, 0];
  const hasShifts = observe("layout-shift", (entry) => {
    const { value, hadRecentInput, startTime } = entry as Shift;
    if (hadRecentInput) return;
    if (!sum || startTime - last > 1_000 || startTime - first > 5_000) [sum, first] = [0, startTime];
    [sum, last] = [sum + value, startTime];
    worst = Math.max(worst, sum);
  });

  let view = client.view;
  client.on("view", () => (view ??= client.view));
  client.on("hidden", () => {
    if (!view?.sent) return;
    for (const [observer, each] of observers.splice(0)) {
      observer.takeRecords().forEach(each);
      observer.disconnect();
    }
    const { id, url, referrer } = view;
    const ordered = [...durations.values()].sort((a, b) => b - a);
    const { interactionCount = ordered.length } = performance as Performance & { interactionCount?: number };
    const inp = ordered[Math.min(ordered.length - 1, Math.floor(interactionCount / 50))];
    const cls = hasShifts ? Math.round(worst * 10_000) / 10_000 : undefined;
    const properties = { lcp_ms: lcp, inp_ms: inp, cls };
    view = { ...view, sent: false }; // once a load
    if ((lcp ?? inp ?? cls) === undefined) return;
    client.record("web_vitals", { page_view_id: id, page: { url, referrer }, properties }, true);
  });
}
