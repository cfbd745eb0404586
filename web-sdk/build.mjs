/** Makes dist/: the npm entries and the script for a tag, which must stay within its size. `--check` only looks. */

import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { minify } from "terser";

const LIMIT_BYTES = 6 * 1024;
/** Names of properties that nothing outside the script sees. */
const INTERNAL = /^(_.*|beacon|hurry|isHeld|isShared|lock|online|release|resume|retryAfter|schedule|settleMs|storage|transport|view)$/;
const SCRIPT = "dist/event-assets.js";
const PLUGINS = ["autocapture", "cross-domain"];
/** Safe where no built-in method is replaced by one that looks at its `this`, and no getter does anything. */
const COMPRESS = { passes: 3, ecma: 2021, toplevel: true, unsafe_arrows: true, unsafe_methods: true, pure_getters: true, hoist_props: true };

const { version } = JSON.parse(await readFile("package.json", "utf8"));
const common = {
  bundle: true,
  target: "es2021",
  define: { VERSION: JSON.stringify(version) },
  sourcemap: true,
  logLevel: "warning",
};

if (!process.argv.includes("--check")) {
  const script = { ...common, format: "iife", sourcemap: "external", minify: true, charset: "utf8" };
  const entries = ["index", "core", "people", "planned", "react", "scored", ...PLUGINS.map((name) => `plugins/${name}`)];
  await Promise.all([
    build({
      ...common,
      entryPoints: entries.map((name) => `src/${name}.ts`),
      outdir: "dist",
      outbase: "src",
      format: "esm",
      splitting: true,
      external: ["react"],
    }),
    build({ ...script, entryPoints: ["src/script.ts"], outfile: SCRIPT, mangleProps: INTERNAL }),
    ...PLUGINS.map((name) =>
      build({ ...script, entryPoints: [`src/plugins/${name}.script.ts`], outfile: `dist/event-assets-${name}.js` }),
    ),
  ]);
  const { code, map } = await minify(await readFile(SCRIPT, "utf8"), {
    compress: COMPRESS,
    ecma: 2021,
    toplevel: true,
    sourceMap: { content: await readFile(`${SCRIPT}.map`, "utf8"), filename: "event-assets.js" },
  });
  await writeFile(SCRIPT, code);
  await writeFile(`${SCRIPT}.map`, map);
}

const { length } = gzipSync(await readFile(SCRIPT), { level: 9 });
console.log(`${SCRIPT}: ${length} bytes gzipped, of ${LIMIT_BYTES}`);
if (length > LIMIT_BYTES) process.exit(1);
