/** The built package, as Node and other programs import it. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";

const run = (...command: string[]): Promise<string> =>
  new Promise((done, fail) => {
    execFile(process.execPath, command, { timeout: 20_000 }, (error, out) => (error ? fail(new Error(`${error} ${out}`)) : done(out)));
  });
const node = (script: string): Promise<string> => run("--input-type=module", "--eval", script);

test("on a server that renders pages the client does nothing and holds no process up", async () => {
  const script = `
    import { createClient } from "event-assets-web";
    const client = createClient({ endpoint: "http://127.0.0.1:9", writeKey: "k" });
    client.page(); client.track("search"); await client.flush();
    console.log(JSON.stringify(client.queued));`;
  expect(JSON.parse(await node(script))).toEqual({ waiting: 0, dropped: 0 });
});

test("the core sends from plain Node", async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      bodies.push(`${request.url} ${request.headers["content-type"]} ${body}`);
      response.end('{"results":[{"status":"accepted"}]}');
    });
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  const script = `
    import { EventClient } from "event-assets-web/core";
    const client = new EventClient({ endpoint: "http://127.0.0.1:${port}", writeKey: "k", platform: "desktop" });
    client.track("opened"); await client.flush(); client.close();
    console.log(JSON.stringify(client.queued));`;
  const printed = await node(script);
  server.close();
  expect(JSON.parse(printed)).toEqual({ waiting: 0, dropped: 0 });
  expect(bodies).toEqual([expect.stringMatching(/^\/v1\/events\?write_key=k text\/plain \{"event_id".*"platform":"desktop"/)]);
});

test.each(["nodenext", "bundler"])("its types are found and right, by module resolution %s", async (resolution) => {
  const folder = mkdtempSync("types-");
  try {
    writeFileSync(
      `${folder}/program.ts`,
      `import { createClient, type BrowserOptions } from "event-assets-web";
       import { autocapture } from "event-assets-web/plugins/autocapture";
       import { crossDomain } from "event-assets-web/plugins/cross-domain";
       import { EventClient, preload, type Environment } from "event-assets-web/core";
       const options: BrowserOptions = { endpoint: "e", writeKey: "k", plugins: [autocapture({ rage: false }), crossDomain({ domains: [] })], beforeSend: (event) => (event.page ? event : null) };
       const flushed: Promise<void> = createClient(options).flush();
       const environment: Environment = { online: () => true };
       export const clients = [new EventClient(options, environment), flushed, preload];
       // @ts-expect-error an option that does not exist
       createClient({ endpoint: "e", writeKey: "k", bachSize: 1 });`,
    );
    const options = { strict: true, noEmit: true, skipLibCheck: false, types: [], lib: ["ES2022", "DOM"], target: "ES2022" };
    const resolve = { module: resolution === "bundler" ? "ESNext" : "NodeNext", moduleResolution: resolution };
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions: { ...options, ...resolve }, include: ["program.ts"] }));
    expect(await run("node_modules/typescript/bin/tsc", "--project", folder)).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
