/** The built package, as Node and other programs import it. */

import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";

const node = (script: string): Promise<string> =>
  new Promise((done, fail) => {
    const command = ["--input-type=module", "--eval", script];
    execFile(process.execPath, command, { timeout: 10_000 }, (error, out) => (error ? fail(error) : done(out)));
  });

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
