/** What the code that `event-assets plan codegen` writes calls: an event is recorded if it keeps its tracking plan. */

import type { AnalyticsEvent, Properties } from "./types.js";

/** What a call may say of its event beside its properties. */
export type Fields = Partial<Omit<AnalyticsEvent, "event" | "schema_version" | "properties">>;

/** A client, as far as it is needed here. */
export interface Tracking {
  track(event: string, properties?: Properties, fields?: Partial<AnalyticsEvent>): void;
}

/** What one property must be. */
export interface Rule {
  readonly type: "string" | "integer" | "number" | "boolean" | "object" | "array" | "timestamp";
  readonly required?: boolean;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** The last millisecond of the year 9999, and the first of the year 1: later and earlier ones have no RFC 3339 form. */
const LATEST = 253_402_300_799_999;
const EARLIEST = -62_135_596_800_000;

const TYPES: Record<Rule["type"], (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  boolean: (value) => typeof value === "boolean",
  object: (value) => typeof value === "object" && !Array.isArray(value) && typeof (value as { toJSON?: unknown }).toJSON !== "function",
  array: Array.isArray,
  timestamp: (value) => value instanceof Date && value.getTime() >= EARLIEST && value.getTime() <= LATEST,
};

/** Records the event; one that breaks the plan is not recorded, and the console says why. */
export function planned(
  client: Tracking,
  event: string,
  version: number,
  rules: Readonly<Record<string, Rule>>,
  needed: readonly string[],
  properties: object,
  fields: Fields,
): void {
  const fault = faultOf(rules, needed, properties as Properties, fields as Properties);
  if (fault) console.warn(`[event-assets] ${event} was not recorded: ${fault}`);
  else client.track(event, properties as Properties, { ...fields, schema_version: version });
}

function faultOf(rules: Readonly<Record<string, Rule>>, needed: readonly string[], properties: Properties, fields: Properties): string | undefined {
  for (const name of needed) {
    const [head, tail] = name.split(".") as [string, string?];
    const whole = head === "properties" && Object.keys(properties).length ? properties : fields[head];
    const value = tail ? (whole as Properties | undefined)?.[tail] : whole;
    if (value === undefined || value === null || value === "") return `the field ${name} is required`;
  }
  for (const [name, rule] of Object.entries(rules)) {
    const fault = broken(rule, properties[name]);
    if (fault) return `the property ${name} ${fault}`;
  }
  return undefined;
}

function broken(rule: Rule, value: unknown): string | undefined {
  const { type, required, enum: listed, minimum = -Infinity, maximum = Infinity, maxLength = Infinity, pattern } = rule;
  if (value === undefined || value === null) return required ? "is required" : undefined;
  if (!TYPES[type](value)) return `must be of type ${type}`;
  if (listed && !listed.includes(value as string)) return `must be one of ${listed.join(", ")}`;
  if ((value as number) < minimum) return `must be at least ${minimum}`;
  if ((value as number) > maximum) return `must be at most ${maximum}`;
  if (lengthOf(value) > maxLength) return `must have at most ${maxLength} characters or members`;
  if (pattern && !new RegExp(pattern, "u").test(value as string)) return `must match ${pattern}`;
  return undefined;
}

/** Characters as Python counts them, or members. */
function lengthOf(value: unknown): number {
  return typeof value === "string" ? [...value].length : typeof value === "object" ? Object.keys(value!).length : 0;
}
