import type { ClientRequest, IncomingMessage } from "node:http";
import { Writable } from "node:stream";
import { EngineError, ImgpackError } from "../../errors.ts";
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
  /** Bytes of the archive that came after the answer, and were not sent. */
  let unsent = 0;
  const fail = (cause: unknown): void => {
    const error = cause instanceof ImgpackError ? cause : faultOf(cause);
    loaded.reject(signal?.aborted === true ? signal.reason : error);
    body.destroy(error);
  };
  const { body, release } = bodyOf(sent, {
    isAnswered: () => isAnswered,
    onUnsent: bytes => (unsent += bytes),
    onFault: fail,
  });
  const faultOf = (cause: unknown): ImgpackError =>
    isConnected && errorCode(cause) !== "ENOENT" ? cutOff(deed, cause) : unreachable(client.endpoint, cause);
  sent.once("socket", socket => socket.once("connect", () => (isConnected = true)));
  sent.on("error", cause => {
    // An engine may close the connection as soon as it has answered.
    if (!isAnswered) fail(cause);
  });
  sent.on("response", answer => {
    isAnswered = true;
    readAnswer(answer, deed, signal).then(names => {
      loaded.resolve(names);
      release();
    }, fail);
  });
  return {
    body,
    async finish(own) {
      body.end();
      const names = await abortable(loaded.promise, own);
      if (unsent === 0) return names;
      throw new EngineError(`Cannot ${deed}: the engine answered too early, expected it to take the whole archive`);
    },
    async [Symbol.asyncDispose]() {
      body.on("error", () => undefined);
      body.destroy();
      sent.destroy();
    },
  };
}

interface BodyEvents {
  readonly isAnswered: () => boolean;
  readonly onUnsent: (bytes: number) => void;
  readonly onFault: (cause: unknown) => void;
}

/** `release` ends a write that an engine which has answered does not take. */
function bodyOf(
  sent: ClientRequest,
  { isAnswered, onUnsent, onFault }: BodyEvents,
): { readonly body: Writable; release(): void } {
  let release: () => void = () => undefined;
  const body = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      const drop = (): void => {
        release = () => undefined;
        // An engine may stop at the end mark of the tar: only zeros follow.
        if (!isZero(chunk)) onUnsent(chunk.length);
        done();
      };
      if (isAnswered()) return drop();
      release = drop;
      sent.write(chunk, error => {
        if (error && !isAnswered()) return onFault(error);
        if (release !== drop) return;
        release = () => undefined;
        done();
      });
    },
    final(done) {
      sent.end(() => done());
    },
  });
  // Its writer listens, too; an error may come when it does not yet, or not any more.
  body.on("error", () => undefined);
  return { body, release: () => release() };
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte === 0);
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
