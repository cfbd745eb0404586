/** The React entry as a server renders it; what a page does is tested in a browser. */

import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import type { EventClient } from "../src/client.js";
import { AnalyticsProvider, useAnalytics, useTrack } from "../src/react.js";
import { World } from "./surroundings.js";

test("whatever is below a provider gets its client", () => {
  const client = new World().client();
  const found: EventClient[] = [];
  const Inner = (): null => (found.push(useAnalytics()), null);
  renderToString(createElement(AnalyticsProvider, { client }, createElement(Inner)));
  expect(found).toEqual([client]);
});

test("on a server nothing is recorded", () => {
  const found: EventClient[] = [];
  const Inner = (): string => (useTrack("shown"), found.push(useAnalytics()), "ok");
  const options = { endpoint: "https://collect.example", writeKey: "k" };
  expect(renderToString(createElement(AnalyticsProvider, { options }, createElement(Inner)))).toBe("ok");
  expect(found[0]!.queued.waiting).toBe(0);
});

test("without a provider, or with nothing to give, it says so", () => {
  const Inner = (): null => (useAnalytics(), null);
  expect(() => renderToString(createElement(Inner))).toThrow("AnalyticsProvider above it");
  expect(() => renderToString(createElement(AnalyticsProvider, {}))).toThrow("`options` or a `client`");
});
