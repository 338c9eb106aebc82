// @ts-check
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { memberWriter } from "./gzip-member.mjs";

const { level } = /** @type {{ level: number }} */ (workerData);
const writeMember = await memberWriter(level);

// Each block of libdeflate leaves a buffer of compressed bytes, and V8 collects them only after tens of megabytes per
// thread: with eight threads, that is more than the rest of a push needs.
const BLOCKS_PER_COLLECTION = 16;
setFlagsFromString("--expose-gc");
// Absent in runtimes with another engine.
/** @type {((options: { type: "minor" | "major" }) => void) | undefined} */
const collect = runInNewContext("globalThis.gc");
let blocks = 0;

/** @typedef {{ id: number, block: Uint8Array, target: Uint8Array }} Message */

parentPort?.on("message", (/** @type {Message} */ { id, block, target }) => {
  try {
    parentPort?.postMessage({ id, reply: writeMember(block, target) });
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) });
  }
  blocks += 1;
  if (blocks % BLOCKS_PER_COLLECTION === 0) collect?.({ type: "minor" });
});
