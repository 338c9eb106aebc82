// @ts-check
import { setTimeout as wait } from "node:timers/promises";
import { extract } from "tar-stream";
import { hashOf } from "./our-reader.mjs";

const TYPES = new Map([
  ["link", "hardlink"],
  ["symlink", "symlink"],
  ["directory", "directory"],
  ["file", "file"],
]);
const LIMIT_MS = 5000;

/** @param {Buffer} bytes @returns {Promise<import("./our-reader.mjs").Reading>} */
export async function readWithTarStream(bytes) {
  /** @type {import("./our-reader.mjs").Entry[]} */
  const entries = [];
  /** Its types know neither: without the first it stops at v7 headers. */
  const options = /** @type {{}} */ ({ allowUnknownFormat: true, filenameEncoding: "utf-8" });
  const reader = extract(options);
  const done = new Promise((resolve, reject) => {
    reader.on("entry", (header, stream, next) => {
      /** @type {Buffer[]} */
      const parts = [];
      stream.on("data", part => parts.push(/** @type {Buffer} */ (part)));
      stream.on("error", () => undefined);
      stream.on("end", () => {
        const type = TYPES.get(header.type ?? "") ?? String(header.type);
        const isLink = type === "symlink" || type === "hardlink";
        const body = type === "file" ? Buffer.concat(parts) : Buffer.alloc(0);
        const size = header.size ?? 0;
        entries.push({
          name: header.name,
          type,
          size,
          link: isLink ? (header.linkname ?? "") : "",
          hash: hashOf(body),
        });
        next();
      });
    });
    reader.on("finish", () => resolve(undefined));
    reader.on("error", reject);
  });
  reader.end(bytes);
  const stop = new AbortController();
  try {
    await Promise.race([
      done,
      wait(LIMIT_MS, undefined, { signal: stop.signal, ref: true }).then(() => {
        throw new Error("never ends");
      }),
    ]);
    return { entries };
  } catch (error) {
    return { entries, error: String(error) };
  } finally {
    stop.abort();
    reader.destroy();
  }
}
