// @ts-check
// GNU tar is a process per archive; a shell starts them one after the other for a whole batch, which costs a third of
// starting each from here. `-xO` writes bodies to standard output and nothing to the disk, and the listing beside it.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { remove } from "fs-extra/esm";
import { hashOf } from "./our-reader.mjs";

/** @typedef {import("./our-reader.mjs").Reading} Reading */

const TYPES = new Map([
  ["-", "file"],
  ["d", "directory"],
  ["l", "symlink"],
  ["h", "hardlink"],
]);
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
const LINE = new RegExp(
  `^(.)[-rwxsStT]{9} \\S+ +(\\d+) [^"]*(${QUOTED})(?:(?: -> | link to )(${QUOTED}))?(?:--.*--)?$`,
);
const ESCAPES = new Map(Object.entries({ a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }));
const LIMIT_MS = 300_000;

const SCRIPT = `i=0
while [ $i -lt $1 ]; do
  tar -xvvPOf $i --force-local --numeric-owner --quoting-style=c --warning=no-unknown-keyword >$i.out 2>$i.err
  echo "exit $?" >>$i.err
  i=$((i + 1))
done`;

/** @param {readonly Buffer[]} archives @returns {Promise<Reading[]>} */
export async function readWithGnuTar(archives) {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-fuzz-"));
  try {
    await Promise.all(archives.map((bytes, at) => writeFile(join(folder, String(at)), bytes)));
    const env = { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" };
    await promisify(execFile)("sh", ["-c", SCRIPT, "sh", String(archives.length)], {
      cwd: folder,
      env,
      timeout: LIMIT_MS,
    });
    return await Promise.all(
      archives.map(async (_bytes, at) =>
        reading(await readFile(join(folder, `${at}.err`), "latin1"), await readFile(join(folder, `${at}.out`))),
      ),
    );
  } finally {
    await remove(folder);
  }
}

/** @param {string} listing @param {Buffer} bodies one behind the other @returns {Reading} */
function reading(listing, bodies) {
  /** @type {import("./our-reader.mjs").Entry[]} */
  const entries = [];
  const faults = [];
  let position = 0;
  let exit = "";
  for (const line of listing.split("\n").filter(text => text !== "")) {
    if (line.startsWith("exit ")) exit = line.slice(5);
    else {
      const [, kind = "", size = "", name = "", link = '""'] = LINE.exec(line) ?? [];
      if (name === "") {
        faults.push(line);
        continue;
      }
      const type = TYPES.get(kind) ?? kind;
      const bytes = type === "file" ? Number(size) : 0;
      const hash = hashOf(bodies.subarray(position, position + bytes));
      entries.push({ name: unquote(name), type, size: Number(size), link: unquote(link), hash });
      position += bytes;
    }
  }
  if (position !== bodies.length)
    entries.push({ name: "", type: "rest", size: bodies.length - position, link: "", hash: "" });
  return exit === "0" ? { entries } : { entries, error: `exit ${exit}: ${faults.join("; ")}` };
}

/** @param {string} text in quotes, octal escapes for bytes */
function unquote(text) {
  const bytes = text
    .slice(1, -1)
    .replace(/\\([0-7]{3}|.)/g, (_all, code) =>
      String.fromCharCode(code.length === 3 ? Number.parseInt(code, 8) : (ESCAPES.get(code) ?? code.charCodeAt(0))),
    );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
