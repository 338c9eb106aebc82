import { afterEach, describe, expect, test } from "vitest";
import { InternalError } from "../../../src/errors.ts";
import { ThreadPool } from "../../../src/util/thread-pool.ts";

const script = (body: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort, workerData, threadId } from "node:worker_threads";${body}`)}`,
  );
const echo = script(`
  parentPort.on("message", ({ id, ask, text }) => {
    if (ask === "exit") process.exit(3);
    if (ask === "crash") throw new Error("out of luck");
    if (ask === "fail") parentPort.postMessage({ id, error: "RangeError: too long" });
    if (ask === "echo") parentPort.postMessage({ id, reply: { text, data: workerData, thread: threadId } });
  });
`);

let pool: ThreadPool | undefined;
afterEach(async () => await pool?.[Symbol.asyncDispose]());

function poolOf(size: number): ThreadPool {
  pool = new ThreadPool(echo, size, "data");
  return pool;
}

async function threadOf(threads: ThreadPool, lane?: number): Promise<unknown> {
  const reply = await threads.run({ ask: "echo" }, lane === undefined ? {} : { lane });
  return Object(reply).thread;
}

describe("ThreadPool", () => {
  test("answers with what its thread replied", async () => {
    expect(await poolOf(1).run({ ask: "echo", text: "hello" })).toMatchObject({ text: "hello", data: "data" });
  });

  test("stays on one thread for one lane, and uses others for others", async () => {
    const threads = poolOf(2);
    const first = await threadOf(threads, 0);
    expect(await threadOf(threads, 2)).toBe(first);
    expect(await threadOf(threads, 1)).not.toBe(first);
  });

  test("spreads what comes at once over its threads, and starts no more than it may", async () => {
    const threads = poolOf(2);
    const used = await Promise.all(Array.from({ length: 6 }, async () => await threadOf(threads)));
    expect(new Set(used).size).toBe(2);
  });

  test("rejects what a thread could not do, and goes on", async () => {
    const threads = poolOf(1);
    await expect(threads.run({ ask: "fail" })).rejects.toThrow("Cannot run a worker thread: RangeError: too long");
    expect(await threads.run({ ask: "echo", text: "next" })).toMatchObject({ text: "next" });
  });

  test.each(["exit", "crash"])(
    "rejects all that a thread had to do when it stops by %s, and starts another",
    async ask => {
      const threads = poolOf(1);
      const all = await Promise.allSettled([
        threads.run({ ask: "ignored" }),
        threads.run({ ask }),
        threads.run({ ask: "echo" }),
      ]);
      expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
      expect(all[0]).toMatchObject({ reason: expect.any(InternalError) });
      expect(await threads.run({ ask: "echo", text: "again" })).toMatchObject({ text: "again" });
    },
  );

  test("rejects a message that cannot be sent", async () => {
    const threads = poolOf(1);
    await expect(threads.run({ ask: "echo", text: () => 1 })).rejects.toThrow("the message cannot be sent");
    expect(await threads.run({ ask: "echo", text: "next" })).toMatchObject({ text: "next" });
  });

  test("rejects when its script cannot be loaded", async () => {
    pool = new ThreadPool(script("throw new Error('no such module');"), 1);
    await expect(pool.run({})).rejects.toThrow("Cannot run a worker thread: it stopped");
  });

  test("rejects what is under way when it is disposed", async () => {
    const threads = poolOf(1);
    const failed = expect(threads.run({ ask: "ignored" })).rejects.toThrow("it stopped");
    await threads[Symbol.asyncDispose]();
    await failed;
  });
});
