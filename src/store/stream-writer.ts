import type { Writable } from "node:stream";
import { StorageError } from "../errors.ts";
import { abortable } from "../util/abort.ts";

/** Writes to a stream that others own, one piece at a time. */
export class StreamWriter {
  /** Bytes that the stream has taken. */
  written = 0;
  readonly #output: Writable;
  #fault: { readonly cause: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(output: Writable) {
    this.#output = output;
    output.on("error", this.#onError);
    output.on("close", this.#onClose);
  }

  /** @throws StorageError when the stream broke, or its reader has gone (security case F-06). */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#fault === undefined && this.#output.destroyed) this.#fault = { cause: undefined };
    if (this.#fault === undefined) {
      const done = new Promise<void>(resolve => {
        // A stream that is closed in the middle of a write may never call back.
        this.#wake = resolve;
        // A copy: a stream that passes on what it is given calls back before anybody has read it.
        this.#output.write(Buffer.from(bytes), error => {
          if (error) this.#fault ??= { cause: error };
          resolve();
        });
      });
      await abortable(done, signal);
    }
    if (this.#fault !== undefined) throw broken(this.#fault.cause);
    this.written += bytes.length;
  }

  /** Listens no longer. */
  release(): void {
    this.#output.off("close", this.#onClose);
    // An error may still be on its way, and without a listener it would end the process.
    if (this.#fault === undefined) this.#output.off("error", this.#onError);
  }

  readonly #onError = (cause: Error): void => {
    this.#fault ??= { cause };
    this.#wake();
  };

  readonly #onClose = (): void => {
    this.#fault ??= { cause: undefined };
    this.#wake();
  };
}

function broken(cause: unknown): StorageError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (cause === undefined || code === "EPIPE" || code === "ECONNRESET" || code === "ERR_STREAM_DESTROYED") {
    return new StorageError("Cannot write archive to stdout: its reader has gone, expected it to read to the end", {
      cause,
      hint: "What came before is no whole archive: look at why the program behind the pipe stopped.",
    });
  }
  const found = code === "ENOSPC" ? "no space left" : code || String(cause);
  return new StorageError(`Cannot write archive to stdout: ${found}, expected it to take every byte`, {
    cause,
    hint: "What came before is no whole archive: mend the cause, then run the same command again.",
  });
}
