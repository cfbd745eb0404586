import { expect, test } from "vitest";
import { timeOf, uuid7 } from "../src/uuid.js";

test("an id is a UUID of version 7 and tells when it was made", () => {
  const id = uuid7(1_763_805_600_123);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(timeOf(id)).toBe(1_763_805_600_123);
});

test("ids of one millisecond are different and sort in the order in which they were made", () => {
  const ids = Array.from({ length: 4_000 }, () => uuid7(1_000));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(4_000);
});

test("another text has no time", () => {
  expect(timeOf("their-own-id")).toBeNaN();
});
