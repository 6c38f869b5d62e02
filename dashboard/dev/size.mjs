// Prints what a first visit loads (gzip), and fails past the budget.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET = 100 * 1024;
const root = fileURLToPath(new URL("../../gateway/static/", import.meta.url));
const html = readFileSync(join(root, "index.html"), "utf8");
const first = new Set(["index.html", ...readdirSync(join(root, "assets")).map((f) => `assets/${f}`)].filter(
  (f) => f === "index.html" || html.includes(f),
));
// What these import at once comes with them; what is imported later, by a page, does not.
for (const file of first) {
  if (!file.endsWith(".js")) continue;
  for (const [, name] of readFileSync(join(root, file), "utf8").matchAll(/(?:from|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g)) {
    first.add(`assets/${name}`);
  }
}
let total = 0;
for (const file of first) {
  const size = gzipSync(readFileSync(join(root, file))).length;
  total += size;
  console.log(`${file.padEnd(40)} ${size} B gz`);
}
console.log(`first load: ${total} bytes gzip (budget ${BUDGET})`);
if (total > BUDGET) process.exit(1);
