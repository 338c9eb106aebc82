import { type Readable, Transform, type TransformCallback, Writable } from "node:stream";
import { abortable } from "../../util/promises.ts";
import type { EngineLoad } from "../engine.ts";
import { cutOff, engineRefusal } from "../engine-fault.ts";
import { type EngineCommand, MAX_OUTPUT_BYTES, startCommand } from "./run-command.ts";

/**
 * The archive that a program writes to its stdout.
 *
 * @param deed for messages.
 * @returns a stream that fails with an EngineError if the program fails.
 */
export async function savedByCommand(
  command: EngineCommand,
  args: readonly string[],
  deed: string,
  signal: AbortSignal | undefined,
): Promise<Readable> {
  const { child, ended } = await startCommand(command, args, signal);
  child.stdin.end();
  const tar = new Transform({
    transform(chunk: Uint8Array, _encoding, done: TransformCallback) {
      done(null, chunk);
    },
    flush(done: TransformCallback) {
      void ended.then(failure => done(failure === undefined ? null : engineRefusal(deed, failure)));
    },
  });
  child.stdout.on("error", cause => tar.destroy(cutOff(deed, cause)));
  tar.on("close", () => child.kill("SIGKILL"));
  return child.stdout.pipe(tar);
}

/** Neither a header of a tar nor its end; longer than the rest of any block. */
const NO_TAR = Buffer.alloc(64 * 1024, 0xff);
/** For a program to clean up before it is killed, in milliseconds. */
const LAST_WAIT_MS = 5000;

/**
 * A program that loads an archive from its stdin.
 *
 * @param namesIn the names in what it prints; undefined if it prints none.
 */
export async function loadByCommand(
  command: EngineCommand,
  args: readonly string[],
  deed: string,
  namesIn: (text: string) => readonly string[] | undefined,
  signal: AbortSignal | undefined,
): Promise<EngineLoad> {
  // An abort is followed by disposing it.
  signal?.throwIfAborted();
  const { child, ended } = await startCommand(command, args, undefined, true);
  const printed: Buffer[] = [];
  let bytes = 0;
  child.stdout.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes <= MAX_OUTPUT_BYTES) printed.push(part);
  });
  const body = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      child.stdin.write(chunk, error => {
        // What the program says explains more than a closed pipe.
        if (error) void ended.then(failure => done(failure === undefined ? null : engineRefusal(deed, failure)));
        else done();
      });
    },
    final(done) {
      child.stdin.end(() => done());
    },
  });
  body.on("error", () => undefined);
  void ended.then(failure => {
    if (failure !== undefined) body.destroy(engineRefusal(deed, failure));
  });
  return {
    body,
    async finish(own) {
      body.end();
      const failure = await abortable(ended, own);
      own?.throwIfAborted();
      if (failure !== undefined) throw engineRefusal(deed, failure);
      return namesIn(Buffer.concat(printed).toString("utf8"));
    },
    async [Symbol.asyncDispose]() {
      // The program must not take what it got for a whole archive. What is no tar makes it fail, and a program that fails
      // removes its own copy of the archive; one that is killed leaves it in /var/tmp.
      child.stdin.end(NO_TAR);
      const timer = setTimeout(() => child.kill("SIGKILL"), LAST_WAIT_MS);
      await ended;
      clearTimeout(timer);
      body.destroy();
    },
  };
}
