import { fstatSync } from "node:fs";
import type { Writable } from "node:stream";
import { ImgpackError, StorageError } from "../../errors.ts";
import { writeToDescriptor } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { abortable } from "../../util/promises.ts";
import { SystemFault, storageState } from "../../util/system-fault.ts";

const STDOUT = 1;

/** Writes to a stream of the caller, one piece at a time. */
export class StreamWriter {
  /** Bytes written so far. */
  written = 0;
  readonly #output: Writable;
  readonly #what: string;
  readonly #descriptor: number | undefined;
  #fault: { readonly cause: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** @param what is written, for messages. */
  constructor(output: Writable, what: "archive" | "blob") {
    this.#output = output;
    this.#what = what;
    this.#descriptor = redirectedStdout(output);
    output.on("error", this.#onError);
    output.on("close", this.#onClose);
  }

  /** @throws StorageError if the stream failed, or its reader has closed it (security case F-06). */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#fault === undefined && this.#output.destroyed) this.#fault = { cause: this.#output.errored };
    if (this.#fault === undefined && this.#descriptor !== undefined) {
      await writeToDescriptor(this.#descriptor, "stdout", bytes).catch(this.#onError);
    } else if (this.#fault === undefined) {
      const done = new Promise<void>(resolve => {
        // A stream that is closed during a write may never call back.
        this.#wake = resolve;
        // A copy: some streams call back before the bytes are read.
        this.#output.write(Buffer.from(bytes), error => {
          if (error) this.#fault ??= { cause: error };
          resolve();
        });
      });
      await abortable(done, signal);
    }
    if (this.#fault !== undefined) throw broken(this.#what, this.#fault.cause);
    this.written += bytes.length;
  }

  /** Removes its listeners. */
  release(): void {
    this.#output.off("close", this.#onClose);
    // An error may still come, and without a listener it would end the process.
    if (this.#fault === undefined) this.#output.off("error", this.#onError);
  }

  readonly #onError = (cause: Error): void => {
    this.#fault ??= { cause };
    this.#wake();
  };

  readonly #onClose = (): void => {
    this.#fault ??= { cause: this.#output.errored };
    this.#wake();
  };
}

/** Node's own stream for a redirected stdout ignores a short write, as on a full disk. */
function redirectedStdout(output: Writable): number | undefined {
  if (!("fd" in output) || output.fd !== STDOUT || output !== process.stdout || process.stdout.isTTY) return undefined;
  const stats = fstatSync(STDOUT);
  return stats.isFile() || stats.isCharacterDevice() ? STDOUT : undefined;
}

function broken(what: string, cause: unknown): ImgpackError {
  // The stream of an engine says what is wrong itself.
  if (cause instanceof ImgpackError && !(cause instanceof SystemFault)) return cause;
  const code = errorCode(cause);
  if (
    cause === undefined ||
    cause === null ||
    code === "EPIPE" ||
    code === "ECONNRESET" ||
    code === "ERR_STREAM_DESTROYED"
  ) {
    return new StorageError(`Cannot write ${what} to stdout: its reader has gone, expected it to read to the end`, {
      cause,
      hint: `The ${what} is incomplete: find out why the program that reads the pipe stopped.`,
    });
  }
  return new StorageError(`Cannot write ${what} to stdout: ${storageState(cause)}, expected it to take every byte`, {
    cause,
    hint: `The ${what} is incomplete: fix the cause, then run the same command again.`,
  });
}
