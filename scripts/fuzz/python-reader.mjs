// @ts-check
// Python's tarfile, as one process that answers archive after archive.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** @typedef {import("./our-reader.mjs").Reading} Reading */

export function startPython() {
  const child = spawn("python3", ["-u", fileURLToPath(new URL("read-tars.py", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  /** @type {{ resolve(reading: Reading): void, reject(error: Error): void }[]} */
  const waiting = [];
  const fail = (/** @type {string} */ found) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`Cannot ask python3: ${found}, expected an answer`));
  };
  createInterface({ input: child.stdout }).on("line", line => waiting.shift()?.resolve(JSON.parse(line)));
  child.on("error", error => fail(error.message));
  child.on("exit", code => fail(`exit code ${code}`));
  child.stdin.on("error", error => fail(error.message));
  return {
    /** @param {Buffer} bytes @returns {Promise<Reading>} */
    read(bytes) {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(bytes.length);
      child.stdin.write(Buffer.concat([prefix, bytes]));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    stop: () => child.stdin.end(),
  };
}
