/**
 * The build for a script tag: `window.ea("track", "Signed Up", {…})`. Commands given before the script is there wait in
 * `ea.q`. With `data-endpoint` and `data-write-key` on its tag it begins by itself, and no other script is needed.
 */

import { BrowserClient, type BrowserOptions } from "./browser/client.js";

type Command = [name: string, ...values: unknown[]];
interface Commands {
  (...command: Command): unknown;
  q?: Iterable<unknown>[];
  on?: boolean;
}

const host = window as unknown as Record<string, Commands | undefined>;
const tag = document.currentScript?.dataset ?? {};
const name = tag.name ?? "ea";
const before = host[name];

if (!before?.on) {
  let client: BrowserClient | undefined;
  const waiting: Command[] = [];

  const run: Commands = (...command) => {
    const [method, ...values] = command;
    try {
      if (method === "init") {
        client ??= new BrowserClient(values[0] as BrowserOptions);
        waiting.splice(0).forEach((given) => run(...given));
        return;
      }
      if (!client) return void waiting.push(command);
      return (client as unknown as Record<string, (...values: unknown[]) => unknown>)[method]!(...values);
    } catch (error) {
      console.warn("[event-assets]", error); // a command that does not exist must not break the page
    }
  };
  run.on = true;
  host[name] = run;
  const { endpoint, writeKey } = tag;
  if (endpoint && writeKey) run("init", { endpoint, writeKey });
  before?.q?.forEach((command) => run(...(command as Command)));
}
