import { expect, test, vi } from "vitest";
import { EventClient } from "../src/client.js";
import type { AnalyticsEvent, Consent } from "../src/types.js";
import { BLOCKED, MemoryStorage, OPTIONS, World } from "./surroundings.js";

const MINUTE = 60_000;

async function events(world: World, client: EventClient): Promise<AnalyticsEvent[]> {
  await client.flush();
  return world.sent;
}

test("an event carries what the contract asks for", async () => {
  const world = new World();
  const client = world.client({ app: { id: "shop", version: "2" } }, { context: () => ({ device: { locale: "de" } }) });
  client.track("Order Completed", { revenue: 9.5 });
  const [event] = await events(world, client);
  expect(event).toMatchObject({
    event: "Order Completed",
    event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    anonymous_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    session_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    occurred_at: "2026-11-22T10:00:00.000Z",
    sent_at: "2026-11-22T10:00:00.000Z",
    sequence: 0,
    platform: "web",
    app: { id: "shop", version: "2" },
    device: { locale: "de" },
    properties: { revenue: 9.5 },
    library: { name: "event-assets-web" },
  });
  expect(event).not.toHaveProperty("user_id");
  expect(event).not.toHaveProperty("consent");
});

test("the anonymous id and the sequence go on in the next client on the device", async () => {
  const world = new World();
  for (const _ of [1, 2]) {
    const client = world.client();
    client.track("a");
    client.track("b");
    await client.flush();
    client.close();
  }
  expect(world.sent.map((event) => event.sequence)).toEqual([0, 1, 2, 3]);
  expect(new Set(world.sent.map((event) => event.anonymous_id)).size).toBe(1);
});

test("page, screen, identify, group and alias make the platform's own events", async () => {
  const world = new World();
  const client = world.client({ platform: "ios" });
  client.page({ page_type: "home" });
  client.screen("Cart", { items: 2 });
  client.identify("u1", { plan: "pro" });
  client.group("acme", { seats: 5 });
  client.track("search");
  client.alias("u1", "u0");
  const sent = await events(world, client);
  const page_view_id = sent[0]!.page_view_id;
  expect(page_view_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(sent).toMatchObject([
    { event: "page_view", platform: "ios", properties: { page_type: "home" } },
    { event: "screen_view", screen: { name: "Cart" }, properties: { items: 2 }, page_view_id },
    { event: "identify", user_id: "u1", traits: { plan: "pro" } },
    { event: "group", user_id: "u1", group_id: "acme", traits: { seats: 5 } },
    { event: "search", user_id: "u1", group_id: "acme" },
    { event: "alias", user_id: "u1", properties: { previous_id: "u0" } },
  ]);
});

test("after reset the next event is somebody new", async () => {
  const world = new World();
  const client = world.client();
  client.identify("u1");
  client.group("acme");
  client.reset();
  client.track("search");
  const [before, , after] = await events(world, client);
  expect(before).not.toHaveProperty("group_id");
  expect(after).not.toHaveProperty("user_id");
  expect(after).not.toHaveProperty("group_id");
  expect(after!.anonymous_id).not.toBe(before!.anonymous_id);
  expect(after!.session_id).not.toBe(before!.session_id);
  expect(after!.sequence).toBe(0);
});

async function sessionsAfter(...waits: number[]): Promise<number> {
  const world = new World();
  const client = world.client();
  client.track("a");
  for (const wait of waits) {
    world.at += wait;
    client.track("a");
  }
  const sent = await events(world, client);
  return new Set(sent.map((event) => event.session_id)).size;
}

test("a session goes on over gaps of thirty minutes and ends with a longer one", async () => {
  expect(await sessionsAfter(30 * MINUTE, 30 * MINUTE)).toBe(1);
  expect(await sessionsAfter(30 * MINUTE + 1)).toBe(2);
});

test("a session lasts twenty-four hours at most", async () => {
  expect(await sessionsAfter(...Array(48).fill(30 * MINUTE))).toBe(1);
  expect(await sessionsAfter(...Array(49).fill(30 * MINUTE))).toBe(2);
});

test("a clock that was put back by more than a session's gap begins a new one", async () => {
  expect(await sessionsAfter(-31 * MINUTE)).toBe(2);
});

test("a refusal is told, carries no session, and ends everything else until consent is given", async () => {
  const world = new World();
  const client = world.client();
  client.track("before");
  client.setConsent({ analytics: false, marketing: false }, { source: "banner" });
  client.track("refused");
  expect(world.stored("")).toEqual(expect.not.arrayContaining(["ea.id", "ea.session", "ea.sequence"]));
  client.setConsent({ analytics: true });
  client.track("after");
  const sent = await events(world, client);
  expect(sent.map((event) => [event.event, event.consent])).toEqual([
    ["before", undefined],
    ["consent_changed", { analytics: false, marketing: false }],
    ["consent_changed", { analytics: true, marketing: false }],
    ["after", { analytics: true, marketing: false }],
  ]);
  expect(sent[1]).toMatchObject({ properties: { source: "banner" }, anonymous_id: sent[0]!.anonymous_id });
  expect(sent[1]).not.toHaveProperty("session_id");
  expect(sent[3]!.anonymous_id).not.toBe(sent[0]!.anonymous_id);
});

test("consent is remembered on the device", async () => {
  const world = new World();
  world.client().setConsent({ analytics: false });
  const client = world.client();
  client.track("refused");
  await client.flush();
  expect(world.names()).not.toContain("refused");
});

const SIGNALS: [string, Consent | undefined, boolean, Consent | undefined, boolean][] = [
  ["a privacy signal is a refusal", undefined, true, undefined, false],
  ["the signal counts more than what the site assumes", { analytics: true }, true, undefined, false],
  ["the person's choice on this site counts more than the signal", undefined, true, { analytics: true }, true],
  ["a site may ignore the signal", undefined, false, undefined, true],
  ["a site that assumes a refusal collects nothing", { analytics: false }, false, undefined, false],
  ["until the person agrees", { analytics: false }, false, { analytics: true }, true],
];

test.each(SIGNALS)("%s", async (_, consent, honourSignals, chosen, collected) => {
  const world = new World();
  const client = world.client({ consent, honourSignals }, { signal: () => true });
  if (chosen) client.setConsent(chosen);
  client.track("search");
  await client.flush();
  expect(world.names().includes("search")).toBe(collected);
  if (!chosen && !collected) expect(world.stored("")).toEqual([]);
});

const SOLD = { sell_or_share: false, gpc: true };
const CONTROLS: [string, Consent | undefined, Consent | undefined, Consent | undefined][] = [
  ["Global Privacy Control refuses to be sold or shared", undefined, undefined, SOLD],
  ["and nothing else", { analytics: true }, undefined, { analytics: true, ...SOLD }],
  ["it holds beside what the person chose", undefined, { marketing: true }, { marketing: true, ...SOLD }],
  ["but for who agreed to just that here", undefined, { sell_or_share: true }, { sell_or_share: true }],
];

test.each(CONTROLS)("%s", async (_, consent, chosen, said) => {
  const world = new World();
  let asks: boolean | undefined = true;
  const client = world.client({ consent, honourSignals: false }, { gpc: () => asks });
  if (chosen) client.setConsent(chosen);
  client.track("search");
  await client.flush();
  expect(world.requests.length).toBe(1);
  expect(world.sent.map((event) => event.consent)).toEqual(world.sent.map(() => said));
  asks = undefined; // what the browser said is no choice of theirs: it is not kept
  client.track("search");
  await client.flush();
  expect(world.sent.at(-1)?.consent).toEqual(chosen ?? consent);
});

test("opting out forgets what waits and every id, holds in the next client, and can be undone", async () => {
  const world = new World();
  const client = world.client();
  client.track("before");
  client.optOut();
  client.track("out");
  client.setConsent({ analytics: true });
  expect(world.stored("").sort()).toEqual(["ea.consent", "ea.out"]);
  const next = world.client();
  next.track("out");
  next.optIn();
  next.track("in");
  await next.flush();
  expect(world.names()).toEqual(["in"]);
});

test("the option optOut collects and sends nothing until optIn, not even what an earlier client left", async () => {
  const world = new World();
  world.client().track("left");
  const client = world.client({ optOut: true });
  client.track("out");
  world.at += MINUTE;
  await client.flush();
  expect(world.requests).toEqual([]);
  client.optIn();
  client.track("in");
  await client.flush();
  expect(world.names()).toEqual(["left", "in"]);
});

test("beforeSend may change an event or drop it; a dropped one leaves no gap in the sequence", async () => {
  const world = new World();
  const client = world.client({
    beforeSend: (event) => (event.event === "secret" ? null : { ...event, properties: { seen: true } }),
  });
  ["a", "secret", "b"].forEach((name) => client.track(name));
  const sent = await events(world, client);
  expect(sent.map((event) => [event.event, event.sequence, event.properties])).toEqual([
    ["a", 0, { seen: true }],
    ["b", 1, { seen: true }],
  ]);
});

test("half a character is sent as the sign for one that cannot be shown, and nothing else is touched", async () => {
  const world = new World();
  const client = world.client();
  const whole = ["\u{1f600}", "\\ud83d", "\\\\ud83d", "\u0001\n\"\\", "\ufffd"];
  client.track("cut", { whole, half: ["\ud83d", "a\\\ude00b", "\ud83d\ud83d"] });
  const [event] = await events(world, client);
  expect(event!.properties).toEqual({ whole, half: ["\ufffd", "a\\\ufffdb", "\ufffd\ufffd"] });
});

test("nothing throws into the application", async () => {
  const world = new World(BLOCKED);
  const loop: Record<string, unknown> = {};
  loop["itself"] = loop;
  const broken = (): never => {
    throw new Error("broken");
  };
  const client = world.client({}, { context: () => ({}) });
  client.track("loop", loop);
  client.track("big", { big: 1n });
  client.track("fine");
  await client.flush();
  expect(world.names()).toEqual(["fine"]);
  const hooked = world.client({ beforeSend: broken }, { context: broken, signal: broken, online: broken });
  hooked.track("a");
  hooked.identify("u");
  hooked.setConsent({});
  hooked.optOut();
  await hooked.flush();
  hooked.close();
  const addressless = world.client({ endpoint: undefined, writeKey: undefined });
  addressless.track("a");
  await addressless.flush();
});

test("with blocked storage events are sent all the same", async () => {
  const world = new World(BLOCKED);
  const client = world.client();
  client.track("a");
  client.track("b");
  const sent = await events(world, client);
  expect(sent.map((event) => event.sequence)).toEqual([0, 1]);
  expect(sent[0]!.anonymous_id).toBe(sent[1]!.anonymous_id);
});

test("debug prints what is collected and sent", async () => {
  const printed = vi.spyOn(console, "debug").mockImplementation(() => undefined);
  const world = new World();
  const client = world.client({ debug: true });
  client.track("search");
  await client.flush();
  expect(printed.mock.calls.map(([, text]) => text)).toEqual(["search", "1 sent: 200"]);
  printed.mockRestore();
});

test("two clients of one name share ids; of two names nothing", async () => {
  const world = new World(new MemoryStorage());
  const clients = [OPTIONS, OPTIONS, { ...OPTIONS, name: "other" }].map((options) => world.client(options));
  for (const client of clients) {
    client.track("a");
    await client.flush();
  }
  const [one, two, other] = world.sent.map((event) => event.anonymous_id);
  expect(one).toBe(two);
  expect(other).not.toBe(one);
});

test("other places, headers and fields are what they are said to be", async () => {
  const world = new World();
  const asked: unknown[] = [];
  const transport = { ...world.environment.transport!, send: async (...given: unknown[]) => (asked.push(given), { status: 200 }) };
  const client = world.client({ path: "/e", headers: { "x-proxy": "1" } }, { transport });
  client.track("search", { n: 1 }, { group_id: "acme", schema_version: 2 });
  await client.flush();
  expect(asked).toEqual([["https://collect.example/e?write_key=ea_1_2", expect.stringContaining('"group_id":"acme"'), true, { "x-proxy": "1" }]]);
  expect((asked as string[][])[0]![1]).toContain('"properties":{"n":1},"schema_version":2');
});

test("who the visitor is can be asked for, and is what the events say", async () => {
  const world = new World();
  const client = world.client();
  const ids = client.ids();
  client.track("search");
  await client.flush();
  expect(ids).toEqual({ anonymous_id: world.sent[0]!.anonymous_id, session_id: world.sent[0]!.session_id });
  client.setConsent({ analytics: false });
  expect(client.ids()).toBeUndefined();
});

test("a visitor of another site goes on, but not where somebody is signed in", async () => {
  const world = new World();
  const client = world.client();
  client.track("before");
  client.adopt({ anonymous_id: "a", session_id: "s" });
  client.track("after");
  client.identify("u");
  client.adopt({ anonymous_id: "b", session_id: "t" });
  await client.flush();
  expect(world.sent.slice(1).map((event) => [event.anonymous_id, event.session_id, event.sequence])).toEqual([["a", "s", 0], ["a", "s", 1]]);
});

test("nothing is stored before consent where that is asked for, and all of it after", async () => {
  const world = new World();
  const client = world.client({ storeOnConsent: true });
  client.track("before");
  expect(world.storage.keys()).toEqual([]);
  const ids = client.ids();
  client.setConsent({ marketing: false });
  expect(world.storage.keys()).toEqual([]);
  client.setConsent({ analytics: true });
  expect(world.stored("q.")).toHaveLength(3);
  expect(world.storage.get("ea.id")).toBe(ids!.anonymous_id);
  await client.flush();
  expect(new Set(world.sent.map((event) => event.anonymous_id))).toEqual(new Set([ids!.anonymous_id]));
  expect(world.client({ storeOnConsent: true }).ids()!.anonymous_id).toBe(ids!.anonymous_id);
});

test("a refusal is all that is stored where nothing was before", async () => {
  const world = new World();
  const client = world.client({ storeOnConsent: true });
  client.track("before");
  client.setConsent({ analytics: false });
  await client.flush();
  expect(world.storage.keys()).toEqual(["ea.consent"]);
});
