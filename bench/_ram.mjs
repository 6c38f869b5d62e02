// RAM of one device on the 32-bit WebAssembly build of MicroPython: node --expose-gc _ram.mjs MPY_FOLDER KIND
// Prints the JSON line that _ram.py prints.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tools = createRequire(join(here, "..", "tools", "package.json"));
const found = tools.resolve("@micropython/micropython-webassembly-pyscript/micropython.mjs");
const { loadMicroPython } = await import(pathToFileURL(found).href);
const [, , folder, kind] = process.argv;

const mp = await loadMicroPython({ heapsize: 4 * 1024 * 1024, stdout: (line) => console.log(line) });
function copy(from, to) {
  mp.FS.mkdir(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [a, b] = [join(from, entry.name), `${to}/${entry.name}`];
    if (entry.isDirectory()) copy(a, b);
    else mp.FS.writeFile(b, readFileSync(a));
  }
}
mp.FS.mkdir("/lib");
mp.FS.mkdir("/a");
copy(join(folder, "firmware"), "/a/firmware");
mp.FS.writeFile("/board.json", readFileSync(join(folder, `${kind}.json`)));
mp.FS.writeFile("/setup.json", readFileSync(join(folder, `${kind}-setup.json`)));
mp.FS.writeFile("/lib/virtual.py", readFileSync(join(here, "..", "tests", "device", "virtual.py")));
for (const name of ["slots.py", "slot"]) mp.FS.writeFile(`/${name}`, readFileSync(join(folder, name)));
mp.globals.set("KIND", kind);
mp.globals.set("LOADER", readFileSync(join(folder, "main.py"), "utf8"));
await mp.runPythonAsync(readFileSync(join(here, "_ram.py"), "utf8"));
