// @ts-check
// A reader that hangs never gives its thread back: another thread notices.
import { writeSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";

const LIMIT_SECONDS = 20;

/** @param {number} seed for the message */
export function startWatchdog(seed) {
  const state = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(import.meta.url), { workerData: { state, seed } });
  worker.unref();
  return {
    /** @param {number} mutant whose reading begins; -1 when it has ended. */
    watch: mutant => void Atomics.store(state, 0, mutant + 1),
    stop: async () => void (await worker.terminate()),
  };
}

if (!isMainThread && workerData?.state instanceof Int32Array) {
  /** @type {{ state: Int32Array<SharedArrayBuffer>, seed: number }} */
  const { state, seed } = workerData;
  let [seen, seconds] = [0, 0];
  setInterval(() => {
    const mutant = Atomics.load(state, 0);
    seconds = mutant !== 0 && mutant === seen ? seconds + 1 : 0;
    seen = mutant;
    if (seconds < LIMIT_SECONDS) return;
    writeSync(2, `HANG: seed ${seed}, mutant ${mutant - 1}, no answer within ${LIMIT_SECONDS} s\n`);
    process.kill(process.pid, "SIGKILL");
  }, 1000);
}
