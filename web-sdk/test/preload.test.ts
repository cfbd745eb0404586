/** A client as React Native has it: asynchronous storage, no browser. */

import { expect, test } from "vitest";
import { EventClient, preload, type AsyncStorage } from "../src/core.js";
import { OPTIONS, World } from "./surroundings.js";

class SlowStorage implements AsyncStorage {
  readonly values = new Map<string, string>();
  readonly getAllKeys = async (): Promise<string[]> => [...this.values.keys()];
  readonly getItem = async (key: string): Promise<string | null> => this.values.get(key) ?? null;
  readonly setItem = async (key: string, value: string): Promise<void> => void (await this.slowly(() => this.values.set(key, value)));
  readonly removeItem = async (key: string): Promise<void> => void (await this.slowly(() => this.values.delete(key)));

  private async slowly<T>(work: () => T): Promise<T> {
    await new Promise((done) => setTimeout(done, Math.random() * 3));
    return work();
  }
}

const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 100));

test("an app that was ended sends with its next start what it could not send before", async () => {
  const device = new SlowStorage();
  device.values.set("another app's", "value");
  const world = new World(await preload(device));
  world.online = false;
  const client = new EventClient({ ...OPTIONS, platform: "ios" }, world.environment);
  client.screen("Cart");
  client.track("search");
  await settled();
  client.close();

  const again = new World(await preload(device));
  again.at += 60_000;
  const next = new EventClient({ ...OPTIONS, platform: "ios" }, again.environment);
  next.track("opened");
  await next.flush();
  expect(again.sent.map((event) => [event.event, event.sequence])).toEqual([
    ["screen_view", 0],
    ["search", 1],
    ["opened", 2],
  ]);
  await settled();
  expect([...device.values.keys()].filter((key) => key.startsWith("ea.q."))).toEqual([]);
  expect(device.values.get("another app's")).toBe("value");
});

test("writes reach the storage in their order", async () => {
  const device = new SlowStorage();
  const storage = await preload(device);
  for (let number = 0; number < 20; number++) storage.set("ea.n", `${number}`);
  storage.remove("ea.n");
  storage.set("ea.m", "last");
  await settled();
  await settled();
  expect(device.values).toEqual(new Map([["ea.m", "last"]]));
});
