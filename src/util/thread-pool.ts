import { Worker } from "node:worker_threads";
import { InternalError } from "../errors.ts";

interface Job {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, Job>;
}

/**
 * Worker threads that answer `{ id, ...message }` with `{ id, reply }` or `{ id, error }`. They start when they are first
 * needed, and idle threads do not keep the process alive.
 *
 * No published pool fits: they load their worker entry from their own package folder, which a bundled CLI does not have,
 * and a running hash must stay on one thread.
 */
export class ThreadPool implements AsyncDisposable {
  readonly #script: URL;
  readonly #size: number;
  readonly #workerData: unknown;
  readonly #threads = new Map<number, Thread>();
  #nextId = 0;

  constructor(script: URL, size: number, workerData?: unknown) {
    this.#script = script;
    this.#size = Math.max(1, size);
    this.#workerData = workerData;
  }

  /** Runs on the least busy thread; with `lane`, always on the same thread for the same lane. */
  async run(message: object, options: { readonly lane?: number } = {}): Promise<unknown> {
    const thread = options.lane === undefined ? this.#leastBusy() : this.#thread(options.lane % this.#size);
    const id = this.#nextId++;
    const reply = new Promise<unknown>((resolve, reject) => thread.jobs.set(id, { resolve, reject }));
    if (thread.jobs.size === 1) thread.worker.ref();
    try {
      thread.worker.postMessage({ id, ...message });
    } catch (error) {
      end(thread, id)?.reject(
        new InternalError("Cannot run a worker thread: the message cannot be sent", { cause: error }),
      );
    }
    return await reply;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const threads = [...this.#threads.values()];
    this.#threads.clear();
    await Promise.all(threads.map(thread => thread.worker.terminate()));
  }

  #leastBusy(): Thread {
    let best = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.#size && fewest > 0; index += 1) {
      const busy = this.#threads.get(index)?.jobs.size ?? 0;
      if (busy < fewest) {
        best = index;
        fewest = busy;
      }
    }
    return this.#thread(best);
  }

  #thread(index: number): Thread {
    const existing = this.#threads.get(index);
    if (existing !== undefined) return existing;
    const worker = new Worker(this.#script, { workerData: this.#workerData });
    const thread: Thread = { worker, jobs: new Map() };
    worker.on("message", (answer: { id: number; reply?: unknown; error?: string }) => {
      const job = end(thread, answer.id);
      if (answer.error === undefined) job?.resolve(answer.reply);
      else job?.reject(new InternalError(`Cannot run a worker thread: ${answer.error}`));
    });
    const failAll = (cause: unknown): void => {
      // A stopped thread does not answer: the next job starts a new one.
      if (this.#threads.get(index) === thread) this.#threads.delete(index);
      for (const job of thread.jobs.values()) {
        job.reject(new InternalError("Cannot run a worker thread: it stopped", { cause }));
      }
      thread.jobs.clear();
    };
    worker.on("error", failAll);
    worker.on("exit", code => failAll(new Error(`exit code ${code}`)));
    worker.unref();
    this.#threads.set(index, thread);
    return thread;
  }
}

function end({ worker, jobs }: Thread, id: number): Job | undefined {
  const job = jobs.get(id);
  jobs.delete(id);
  if (jobs.size === 0) worker.unref();
  return job;
}
