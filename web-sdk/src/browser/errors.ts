/** Errors that nobody caught, as `app_error`: each text once a page, and a handful in all. */

import { cut } from "./sizes.js";
import type { Tracked } from "./tracked.js";

const MOST = 10;

export function trackErrors(client: Tracked): void {
  const told = new Set<string>();
  const tell = (error: unknown, text?: string): void => {
    const { message, name, stack } = (error ?? {}) as Partial<Error>;
    const said = cut(`${message ?? text ?? error}`, 2_000);
    if (told.has(said) || told.size >= MOST) return;
    told.add(said);
    const properties = { message: said, severity: "error", code: name && cut(name, 64), stack: stack && cut(stack, 4_000) };
    client.record("app_error", { properties }, true);
  };
  client.listen(window, ["error"], (event) => {
    // An image that does not load is an error event too, at the image, without a message.
    if (event instanceof ErrorEvent) tell(event.error, event.message);
  });
  client.listen(window, ["unhandledrejection"], (event) => tell((event as PromiseRejectionEvent).reason));
}
