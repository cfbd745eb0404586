import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AnalyticsEvent, Answer } from "../src/types.js";
import { MemoryStorage, World, verdicts } from "./surroundings.js";

const SMALL = { occurred_at: "" } as AnalyticsEvent;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Lets timers and the world's clock run. */
async function pass(world: World, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    world.at += 100;
    await vi.advanceTimersByTimeAsync(100);
  }
}

test("the key goes in the address, so that no preflight is needed and beacons work", async () => {
  const world = new World();
  const client = world.client();
  client.track("a");
  await client.flush();
  expect(world.requests[0]!.url).toBe("https://collect.example/v1/events?write_key=ea_1_2");
});

test("events go together after the interval, or at once when a batch is full", async () => {
  const world = new World();
  const client = world.client({ batchSize: 3 });
  client.track("a");
  client.track("b");
  await pass(world, 900);
  expect(world.requests.length).toBe(0);
  await pass(world, 200);
  expect(world.requests.map((request) => request.events.length)).toEqual([2]);
  ["c", "d", "e"].forEach((name) => client.track(name));
  await vi.advanceTimersByTimeAsync(0);
  expect(world.requests.map((request) => request.events.length)).toEqual([2, 3]);
  expect(world.stored("q.")).toEqual([]);
});

test("a request has at most as many events as a batch, in the order in which they happened", async () => {
  const world = new World();
  world.online = false;
  const client = world.client({ batchSize: 4 });
  for (let number = 0; number < 10; number++) client.track(`e${number}`);
  world.online = true;
  await client.flush();
  expect(world.requests.map((request) => request.events.length)).toEqual([4, 4, 2]);
  expect(world.names()).toEqual(Array.from({ length: 10 }, (_, number) => `e${number}`));
});

test("a request never has more than the 500 events that the collector takes", async () => {
  const world = new World();
  world.online = false;
  let number = 0;
  const beforeSend = (event: AnalyticsEvent): AnalyticsEvent => ({ ...SMALL, event_id: `${number++}`, event: event.event });
  const client = world.client({ batchSize: 9_999, beforeSend });
  for (let count = 0; count < 501; count++) client.track("e");
  world.online = true;
  await client.flush();
  expect(world.requests.map((request) => request.events.length)).toEqual([500, 1]);
});

test("a request is small enough to outlive the page; an event that is not goes alone", async () => {
  const world = new World();
  world.online = false;
  const client = world.client();
  for (const text of ["é".repeat(15_000), "é".repeat(15_000), "x".repeat(70_000), "small"]) client.track("e", { text });
  world.online = true;
  await client.flush();
  expect(world.requests.map((request) => [request.events.length, request.keepalive])).toEqual([
    [1, true],
    [1, true],
    [1, false],
    [1, true],
  ]);
});

const FINAL: [string, Answer][] = [
  ["accepted", { status: 200, body: verdicts("accepted", "accepted") }],
  ["accepted and rejected", { status: 207, body: verdicts("accepted", "rejected") }],
  ["rejected", { status: 400, body: verdicts("rejected", "rejected") }],
  ["a body that cannot be read", { status: 400, body: '{"error":"malformed_json"}' }],
  ["too large for something between that speaks HTML", { status: 413, body: "<html>" }],
  ["taken without verdicts", { status: 204 }],
];

test.each(FINAL)("what was %s is not sent again", async (_, answer) => {
  const world = new World();
  world.answers.push(answer);
  const client = world.client();
  client.track("a");
  client.track("b");
  await client.flush();
  await pass(world, 60_000);
  expect(world.requests.length).toBe(1);
  expect(world.stored("q.")).toEqual([]);
});

test.each([401, 403, 404])("after %i this page asks no more, and the next one tries again", async (status) => {
  const world = new World();
  world.answers.push({ status });
  const client = world.client();
  client.track("a");
  await client.flush();
  client.track("b");
  await pass(world, 400_000);
  expect(world.requests.length).toBe(1);
  world.client();
  await pass(world, 2_000);
  expect(world.requests[1]!.events.map((event) => event.event)).toEqual(["a", "b"]);
});

const AGAIN: [string, Answer | Error][] = [
  ["no answer", new TypeError("Failed to fetch")],
  ["408", { status: 408 }],
  ["429", { status: 429 }],
  ["500", { status: 500 }],
  ["503", { status: 503, body: '{"error":"overloaded"}' }],
];

test.each(AGAIN)("after %s every event is sent again under the same ids", async (_, answer) => {
  const world = new World();
  world.answers.push(answer);
  const client = world.client();
  client.track("a");
  client.track("b");
  await client.flush();
  expect(world.stored("q.").length).toBe(2);
  await pass(world, 5_000);
  const [first, second] = world.requests;
  expect(second!.events.map((event) => event.event_id)).toEqual(first!.events.map((event) => event.event_id));
  expect(second!.events[0]!.sent_at > first!.events[0]!.sent_at).toBe(true);
  expect(world.requests.length).toBe(2);
});

test("of a mixed answer only what the stream did not take is sent again", async () => {
  const world = new World();
  world.answers.push({ status: 503, body: verdicts("accepted", "retry", "rejected", "dropped") });
  const client = world.client();
  ["a", "b", "c", "d"].forEach((name) => client.track(name));
  await client.flush();
  await pass(world, 5_000);
  expect(world.requests[1]!.events.map((event) => event.event)).toEqual(["b"]);
});

test("waits double from two seconds to five minutes, with full jitter", async () => {
  const world = new World();
  world.answers.push(...Array<Answer>(30).fill({ status: 500 }));
  const client = world.client({ flushInterval: 1 });
  client.track("a");
  for (const [random, waits] of [
    [1, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]],
    [0.5, [150]],
    [0, [0]],
  ] as const) {
    world.random = random;
    for (const seconds of waits) {
      await client.flush();
      const wait = parseInt(world.storage.get("ea.wait")!) - world.at;
      expect(wait).toBe(seconds * 1_000);
      world.at += wait;
    }
  }
  client.close();
});

test.each([
  ["seconds", "7", 7_000],
  ["a date", "Sun, 22 Nov 2026 10:00:09 GMT", 9_000],
  ["nonsense", "soon", 0],
  ["too long", "999999", 3_600_000],
])("Retry-After is honoured: %s", async (_, retryAfter, least) => {
  const world = new World();
  world.random = 0;
  world.answers.push({ status: 429, retryAfter });
  const client = world.client();
  client.track("a");
  await client.flush();
  world.at += least - 1;
  await client.flush();
  expect(world.requests.length).toBe(least ? 1 : 2);
  world.at += 1;
  await client.flush();
  expect(world.requests.length).toBe(2);
});

test("pages that share the storage wait together, and so does the next one", async () => {
  const world = new World();
  world.answers.push({ status: 429, retryAfter: "30" });
  const [one, two] = [world.client(), world.client()];
  one.track("a");
  await one.flush();
  two.track("b");
  await two.flush();
  const next = world.client();
  next.track("c");
  await next.flush();
  expect(world.requests.length).toBe(1);
});

test("a clock that was put back does not make it wait for ever", async () => {
  const world = new World();
  world.answers.push({ status: 429, retryAfter: "30" });
  const client = world.client();
  client.track("a");
  await client.flush();
  world.at -= 86_400_000;
  await client.flush();
  expect(world.requests.length).toBe(2);
});

test("offline nothing is tried, and what waits survives the page", async () => {
  const world = new World();
  world.online = false;
  const client = world.client();
  client.track("a");
  await pass(world, 3_000);
  client.close();
  expect(world.requests.length).toBe(0);
  world.online = true;
  world.client();
  await pass(world, 10_000);
  expect(world.names()).toEqual(["a"]);
});

test("an event in flight is still on the device: a page that dies then loses nothing", async () => {
  const storage = new MemoryStorage();
  const world = new World(storage);
  const dying = world.client({}, { transport: { send: () => new Promise(() => undefined) } });
  dying.track("in flight");
  void dying.flush();
  await pass(world, 100);
  expect(world.stored("q.").length).toBe(1);
  dying.close();
  world.client();
  await pass(world, 10_000);
  expect(world.names()).toEqual(["in flight"]);
});

test("a page leaves events of other pages to them for a while, then takes them", async () => {
  const world = new World();
  world.client().close();
  const other = world.client();
  other.track("theirs");
  other.close();
  const mine = world.client();
  mine.track("mine");
  await mine.flush();
  expect(world.names()).toEqual(["mine"]);
  await pass(world, 6_000);
  expect(world.names()).toEqual(["mine", "theirs"]);
  expect(other.queued.waiting).toBe(0);
});

test("when too many wait the oldest go, and are counted", async () => {
  const world = new World();
  world.online = false;
  const client = world.client({ maxQueue: 3, batchSize: 2 });
  ["a", "b", "c", "d", "e"].forEach((name) => client.track(name));
  expect(client.queued).toEqual({ waiting: 3, dropped: 2 });
  world.online = true;
  await client.flush();
  expect(world.names()).toEqual(["c", "d", "e"]);
});

test("a damaged entry in the storage costs no other event", async () => {
  const world = new World();
  const bodies: string[] = [];
  const send = async (_: string, body: string): Promise<Answer> => {
    bodies.push(body);
    return { status: 207, body: verdicts(...body.split("\n").map((line) => (line.startsWith("{") ? "accepted" : "rejected"))) };
  };
  world.storage.set("ea.q.damaged", "half an eve");
  const client = world.client({}, { transport: { send } });
  client.track("whole");
  await client.flush();
  expect(bodies[0]!.split("\n").length).toBe(2);
  expect(world.stored("q.")).toEqual([]);
});

test("events that come while a request is under way are sent with the same flush", async () => {
  const world = new World();
  const client = world.client();
  client.track("a");
  const flushed = client.flush();
  client.track("b");
  await flushed;
  expect(world.names()).toEqual(["a", "b"]);
});

/** One storage as processes see it: one's own writes at once, those of others a moment later. */
class Seen extends MemoryStorage {
  constructor(private readonly others: Seen[]) {
    super();
    for (const other of others) other.others.push(this);
  }

  override set = (key: string, value: string): void => this.tell((seen) => seen.values.set(key, value));
  override remove = (key: string): void => this.tell((seen) => seen.values.delete(key));

  private tell(write: (seen: Seen) => void): void {
    write(this);
    for (const other of this.others) setTimeout(() => write(other), 100);
  }
}

test("pages that hear of each other's writes late send nothing twice when all may send again", async () => {
  const world = new World();
  const first = new Seen([]);
  const second = new Seen([first]);
  let turn: Promise<unknown> = Promise.resolve();
  const lock = (work: () => Promise<boolean>): Promise<boolean> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  world.answers.push({ status: 503, retryAfter: "8" });
  const clients = [first, second].map((storage) => world.client({}, { storage, lock, settleMs: 250 }));
  clients.forEach((client, number) => client.track(`of ${number}`));
  await pass(world, 30_000);
  const [refused, ...taken] = world.requests.map((request) => request.events.map((event) => event.event));
  expect(refused).toEqual(["of 0"]);
  expect(taken.flat().sort()).toEqual(["of 0", "of 1"]);
});
