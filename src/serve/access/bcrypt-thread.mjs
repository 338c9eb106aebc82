// @ts-check
import { parentPort } from "node:worker_threads";
import { compareSync } from "bcryptjs";

/** @typedef {{ id: number, password: string, hash: string }} Message */

parentPort?.on("message", (/** @type {Message} */ { id, password, hash }) => {
  try {
    parentPort?.postMessage({ id, reply: compareSync(password, hash) });
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) });
  }
});
