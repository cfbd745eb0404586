import { expect, test } from "vitest";
import { Shelf } from "../src/shelf.js";
import { BLOCKED, MemoryStorage } from "./surroundings.js";

test("what is put on it is in the storage, under the prefix", () => {
  const storage = new MemoryStorage();
  new Shelf(storage, "ea.").set("id", "a1");
  expect(storage.values).toEqual(new Map([["ea.id", "a1"]]));
});

test.each([["blocked", BLOCKED], ["no", undefined]])("%s storage: it holds everything in memory", (_, storage) => {
  const shelf = new Shelf(storage, "ea.");
  shelf.set("q.2", "two");
  shelf.set("q.1", "one");
  expect([shelf.get("q.1"), shelf.get("q.3"), shelf.keys("q.")]).toEqual(["one", undefined, ["q.1", "q.2"]]);
  shelf.remove("q.1");
  expect(shelf.keys("q.")).toEqual(["q.2"]);
});

test("a full storage: what it does not take is held, what it has stays, and a later write goes back to it", () => {
  const storage = new MemoryStorage();
  const take = storage.set;
  const shelf = new Shelf(storage, "ea.");
  shelf.set("q.1", "one");
  storage.set = () => {
    throw new Error("QuotaExceededError");
  };
  shelf.set("q.2", "two");
  shelf.set("q.1", "one, newer");
  expect([shelf.keys("q."), shelf.get("q.1"), shelf.get("q.2")]).toEqual([["q.1", "q.2"], "one, newer", "two"]);
  storage.set = take;
  shelf.set("q.1", "newest");
  expect([shelf.get("q.1"), storage.get("ea.q.1")]).toEqual(["newest", "newest"]);
});
