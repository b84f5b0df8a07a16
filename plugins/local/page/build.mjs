// Builds the chart bundle of the page from the locked npm packages:
//   npm ci && node build.mjs            writes ../cqrs_local/page/vendor
//   npm ci && node build.mjs --check    compares it with what is there
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const vendor = new URL("../cqrs_local/page/vendor/", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("node_modules/echarts/package.json", import.meta.url)));
const result = await build({
  absWorkingDir: new URL(".", import.meta.url).pathname,
  entryPoints: ["charts.entry.js"],
  bundle: true,
  format: "esm",
  legalComments: "none",
  minify: true,
  target: "es2022",
  write: false,
  banner: { js: `/* Apache ECharts ${version}, Apache-2.0; see LICENSE and NOTICE beside this file */` },
});
const code = result.outputFiles[0].text;
const sum = createHash("sha256").update(code).digest("hex");
const files = {
  "echarts.js": code,
  "echarts.json": `${JSON.stringify({ package: "echarts", version, sha256: sum }, null, 2)}\n`,
  LICENSE: readFileSync(new URL("node_modules/echarts/LICENSE", import.meta.url), "utf8"),
  NOTICE: readFileSync(new URL("node_modules/echarts/NOTICE", import.meta.url), "utf8"),
};
for (const [name, content] of Object.entries(files)) {
  const path = new URL(name, vendor);
  if (!process.argv.includes("--check")) writeFileSync(path, content);
  else if (readFileSync(path, "utf8") !== content) throw new Error(`${name} is not what ${version} builds`);
}
console.log(`echarts ${version}: ${code.length} bytes, sha256 ${sum}`);
