import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SOURCES = fileURLToPath(new URL("../src", import.meta.url));

function imported(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/from "(\.[^"]+)\.js"/g)].map(([, path]) => `${join(dirname(file), path!)}.ts`);
}

it("has no file that is imported by what it imports", () => {
  const left = new Map(
    readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => [join(SOURCES, name), imported(join(SOURCES, name))]),
  );
  for (;;) {
    const free = [...left].filter(([, files]) => !files.some((file) => left.has(file))).map(([file]) => file);
    if (!free.length) break;
    free.forEach((file) => left.delete(file));
  }
  expect([...left.keys()]).toEqual([]);
});
