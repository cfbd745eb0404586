import { expect, test } from "vitest";
import { leaseLock } from "../src/lease.js";
import { MemoryStorage } from "./surroundings.js";

test("of many pages one works at a time, and each gets its turn", async () => {
  const storage = new MemoryStorage();
  let working = 0;
  let most = 0;
  const turns = Array.from({ length: 5 }, () =>
    leaseLock(storage, "lease")(async () => {
      most = Math.max(most, ++working);
      await new Promise((done) => setTimeout(done, 5));
      working--;
      return true;
    }),
  );
  expect(await Promise.all(turns)).toEqual(Array(5).fill(true));
  expect(most).toBe(1);
  expect(storage.keys()).toEqual([]);
});

test("work that fails gives the lease back", async () => {
  const storage = new MemoryStorage();
  const lock = leaseLock(storage, "lease");
  await expect(lock(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await lock(async () => true)).toBe(true);
});

test.each([
  ["has run out", -1],
  ["lies further ahead than a lease can be: the clock was put back", 3_600_000],
])("a lease that %s is free", async (_, ahead) => {
  const storage = new MemoryStorage();
  storage.set("lease", `${Date.now() + ahead} 0.5`);
  expect(await leaseLock(storage, "lease")(async () => true)).toBe(true);
});
