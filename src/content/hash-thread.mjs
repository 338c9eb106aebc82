// @ts-check
import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";

/** @type {Map<number, import("node:crypto").Hash>} */
const hashes = new Map();

/** @typedef {{ id: number, stream: number, op: "update" | "digest" | "drop", chunks: readonly Uint8Array[], algorithm: string, isFirst: boolean }} Message */

parentPort?.on("message", (/** @type {Message} */ { id, stream, op, chunks, algorithm, isFirst }) => {
  try {
    let hash = hashes.get(stream);
    if (hash === undefined) {
      // The thread that had it stopped: a hash of the rest alone would look like any other.
      if (!isFirst) throw new Error("the running hash is lost");
      hash = createHash(algorithm);
      hashes.set(stream, hash);
    }
    for (const chunk of chunks) hash.update(chunk);
    if (op !== "update") hashes.delete(stream);
    parentPort?.postMessage({ id, reply: op === "digest" ? hash.digest("hex") : undefined });
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) });
  }
});
