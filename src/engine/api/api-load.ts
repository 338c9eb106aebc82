import type { ClientRequest, IncomingMessage } from "node:http";
import { Writable } from "node:stream";
import { ImgpackError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { abortable, deferred } from "../../util/promises.ts";
import type { EngineLoad } from "../engine.ts";
import { cutOff, engineRefusal, unreachable } from "../engine-fault.ts";
import { type EngineClient, refusalOf } from "./engine-client.ts";
import { LoadReport } from "./load-report.ts";

const HEADERS = { "content-type": "application/x-tar", "transfer-encoding": "chunked" };

/**
 * Sends an archive to `POST path` of an engine. An engine that gets no end of the body loads nothing.
 *
 * @param deed for messages.
 */
export function apiLoad(client: EngineClient, path: string, deed: string, signal: AbortSignal | undefined): EngineLoad {
  const sent = client.begin("POST", path, HEADERS, signal);
  const loaded = deferred<readonly string[]>();
  // A call that fails earlier never waits for it.
  loaded.promise.catch(() => undefined);
  let isConnected = false;
  let isAnswered = false;
  const body = bodyOf(sent, () => isAnswered);
  const fail = (cause: unknown): void => {
    const error = cause instanceof ImgpackError ? cause : faultOf(cause);
    loaded.reject(signal?.aborted === true ? signal.reason : error);
    body.destroy(error);
  };
  const faultOf = (cause: unknown): ImgpackError =>
    isConnected && errorCode(cause) !== "ENOENT" ? cutOff(deed, cause) : unreachable(client.endpoint, cause);
  sent.once("socket", socket => socket.once("connect", () => (isConnected = true)));
  sent.on("error", cause => {
    // An engine may close the connection as soon as it has answered.
    if (!isAnswered) fail(cause);
  });
  sent.on("response", answer => {
    isAnswered = true;
    readAnswer(answer, deed, signal).then(loaded.resolve, fail);
  });
  return {
    body,
    async finish(own) {
      body.end();
      return await abortable(loaded.promise, own);
    },
    async [Symbol.asyncDispose]() {
      body.on("error", () => undefined);
      body.destroy();
      sent.destroy();
    },
  };
}

function bodyOf(sent: ClientRequest, isAnswered: () => boolean): Writable {
  const body = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      sent.write(chunk, error => {
        // After an answer, it says what became of the archive.
        done(error && !isAnswered() ? error : null);
      });
    },
    final(done) {
      sent.end(() => done());
    },
  });
  // Its writer listens, too; an error may come when it does not yet, or not any more.
  body.on("error", () => undefined);
  return body;
}

async function readAnswer(
  answer: IncomingMessage,
  deed: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  if (answer.statusCode !== 200) throw await refusalOf(answer, deed, signal);
  const report = new LoadReport(deed);
  try {
    for await (const part of answer as AsyncIterable<Buffer>) report.add(part);
  } catch (cause) {
    throw cause instanceof ImgpackError ? cause : cutOff(deed, cause);
  }
  const names = report.end();
  if (names.length === 0) throw engineRefusal(deed, "", "The engine found no image in the archive that it can load.");
  return names;
}
