import type { IncomingMessage } from "node:http";
import { Transform, type TransformCallback } from "node:stream";
import { cutOff, engineRefusal } from "../engine-fault.ts";
import { saidIn } from "./engine-client.ts";

/** An engine that fails after the first byte appends its error to the archive. */
const MAX_APPENDED_BYTES = 64 * 1024;
const BRACE = "{".charCodeAt(0);

/**
 * The archive in an answer.
 *
 * @param deed for messages.
 * @returns a stream that fails with an ImgpackError if the answer ends too early.
 */
export function savedTar(answer: IncomingMessage, deed: string): Transform {
  let last: Uint8Array = new Uint8Array();
  const tar = new Transform({
    transform(chunk: Uint8Array, _encoding, done: TransformCallback) {
      last = chunk;
      done(null, chunk);
    },
    flush(done: TransformCallback) {
      // An archive ends with zeros.
      const isError = last[0] === BRACE && last.length <= MAX_APPENDED_BYTES;
      const said = isError ? saidIn(last) : undefined;
      done(said === undefined ? null : engineRefusal(deed, said));
    },
  });
  answer.on("error", cause => tar.destroy(cutOff(deed, cause)));
  tar.on("close", () => answer.destroy());
  return answer.pipe(tar);
}
