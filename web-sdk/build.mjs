/** Makes dist/: the npm entries and the script for a tag, which must stay within its size. `--check` only looks. */

import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const LIMIT_BYTES = 6 * 1024;
/** Names of properties that nothing outside the script sees. */
const INTERNAL = /^(_.*|beacon|hurry|isShared|listen|lock|online|record|resume|schedule|settleMs|storage|transport|view)$/;
const SCRIPT = "dist/event-assets.js";

const { version } = JSON.parse(await readFile("package.json", "utf8"));
const common = {
  bundle: true,
  target: "es2021",
  define: { VERSION: JSON.stringify(version) },
  sourcemap: true,
  logLevel: "warning",
};

if (!process.argv.includes("--check")) {
  await Promise.all([
    build({ ...common, entryPoints: ["src/index.ts", "src/core.ts"], outdir: "dist", format: "esm", splitting: true }),
    build({
      ...common,
      entryPoints: ["src/script.ts"],
      outfile: SCRIPT,
      format: "iife",
      sourcemap: "external",
      minify: true,
      mangleProps: INTERNAL,
      charset: "utf8",
    }),
  ]);
}

const { length } = gzipSync(await readFile(SCRIPT), { level: 9 });
console.log(`${SCRIPT}: ${length} bytes gzipped, of ${LIMIT_BYTES}`);
if (length > LIMIT_BYTES) process.exit(1);
