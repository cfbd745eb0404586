/** What the events say about who made them. The version is put in by the build, from package.json. */

declare const VERSION: string;

export const LIBRARY = { name: "event-assets-web", version: typeof VERSION === "string" ? VERSION : "dev" };
