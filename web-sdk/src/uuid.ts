/** UUIDv7 (RFC 9562): ids that sort by the time at which they were made. */

let lastAt = 0;
let count = 0;

/** A new id. Ids of one millisecond sort in the order in which they were made. */
export function uuid7(now: number): string {
  count = now === lastAt ? count + 1 : 0;
  lastAt = now;
  const [first = 0, ...rest] = randomBytes();
  const random = [(first & 0x3f) | 0x80, ...rest].map((byte) => hex(byte, 2)).join("");
  return `${hex(now, 12)}7${hex(count, 3)}${random}`.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** When an id of `uuid7` was made, in milliseconds. NaN for any other text. */
export function timeOf(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0").slice(-digits);
}

function randomBytes(): Uint8Array {
  const bytes = new Uint8Array(8);
  if (typeof crypto === "object") return crypto.getRandomValues(bytes);
  return bytes.map(() => Math.random() * 256); // React Native without a polyfill
}
