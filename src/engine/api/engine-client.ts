import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import type { NetConnectOpts } from "node:net";
import { EngineError, type ImgpackError } from "../../errors.ts";
import { formatBytes } from "../../util/format.ts";
import { readBytes } from "../../util/input-file.ts";
import { parseJson } from "../../util/json/json.ts";
import { checkSchema, fields, nullish, type Schema, string } from "../../util/json/schema.ts";
import { startDeadline } from "../../util/time/deadline.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { engineRefusal, invalidAnswer, SilentEngine, unreachable } from "../engine-fault.ts";
import { PatientSocket } from "./patient-socket.ts";

/** A list of many thousands of images. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const MAX_ERROR_TOKENS = 1000;
const MAX_TOKENS = 5_000_000;
const CONNECT_MS = 30_000;
/** For the text of an error. */
const ERROR_MS = 30_000;
/** What setTimeout takes at most. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Docker sends `message`, podman `cause` and `message`; in a stream it is `error`. */
const REFUSAL = fields({ message: nullish(string()), error: nullish(string()) });

/** Talks to the HTTP API of docker or podman. */
export class EngineClient {
  readonly endpoint: Endpoint;
  readonly #idleMs: number;

  /** @param idleMs that an engine may be silent while it is asked, in milliseconds. */
  constructor(endpoint: Endpoint, idleMs: number) {
    this.endpoint = endpoint;
    this.#idleMs = idleMs;
  }

  /** Begins a request. A connection of its own for each: engines close those that are idle. */
  begin(method: "GET" | "POST", path: string, headers: Record<string, string>, signal?: AbortSignal): ClientRequest {
    const { at, tls } = this.endpoint;
    const host = "host" in at ? {} : { host: "engine" };
    const options: RequestOptions = { method, path, signal, ...at, headers: { ...host, ...headers } };
    const sent =
      tls === undefined
        ? requestPlain({ ...options, createConnection: () => new PatientSocket().connect(toConnect(at)) })
        : requestSecure({ ...options, agent: false, ...tls });
    // An engine may work for minutes before it answers, but it takes a connection at once.
    const stop = startDeadline(CONNECT_MS, () => sent.destroy(new ConnectTimeout()));
    sent.once("socket", socket => socket.once("connect", stop));
    sent.once("close", stop);
    return sent;
  }

  /**
   * @param deed for messages, such as `read "app:1" from docker`.
   * @param extraMs that the answer may take to begin beyond the time of `idleMs`.
   * @returns the answer, also one with status 404; the caller reads or destroys it.
   * @throws NetworkError, StorageError as `unreachable`; EngineError for any other status of an error.
   */
  async get(path: string, deed: string, signal: AbortSignal | undefined, extraMs = 0): Promise<IncomingMessage> {
    signal?.throwIfAborted();
    const waitMs = Math.min(this.#idleMs + extraMs, MAX_TIMER_MS);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = this.begin("GET", path, {}, signal);
      const stop = startDeadline(waitMs, () => sent.destroy(new SilentEngine(deed, waitMs)));
      sent.once("close", stop);
      sent.once("response", found => {
        stop();
        resolve(found);
      });
      // Also after the answer has come: what is wrong then is seen by its reader.
      sent.on("error", reject);
      sent.end();
    }).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw unreachable(this.endpoint, cause);
    });
    if (answer.statusCode === 200 || answer.statusCode === 404) return answer;
    throw await refusalOf(answer, deed, signal);
  }

  /** @returns undefined with status 404. @throws as `get`; EngineError for an answer that is not valid. */
  async json<T>(
    path: string,
    schema: Schema<T>,
    deed: string,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    const answer = await this.get(path, deed, signal);
    if (answer.statusCode === 404) {
      answer.destroy();
      return undefined;
    }
    const stop = startDeadline(this.#idleMs, () => answer.destroy(new SilentEngine(deed, this.#idleMs)));
    const bytes = await readBytes(answer, MAX_JSON_BYTES, signal)
      .catch((cause: unknown) => {
        signal?.throwIfAborted();
        if (cause instanceof RangeError) throw invalidAnswer(deed, `more than ${formatBytes(MAX_JSON_BYTES)}`);
        throw unreachable(this.endpoint, cause);
      })
      .finally(stop);
    const fail = (_: string, message: string): Error => new EngineError(message);
    const { what: where } = this.endpoint;
    return checkSchema(
      schema,
      parseJson(bytes, { what: "answer", where, maxBytes: MAX_JSON_BYTES, maxTokens: MAX_TOKENS, fail }),
      "answer",
      where,
      fail,
    );
  }
}

function toConnect(at: Endpoint["at"]): NetConnectOpts {
  return "host" in at ? at : { path: at.socketPath };
}

class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT";
}

/** What an answer with the status of an error says. */
export async function refusalOf(
  answer: IncomingMessage,
  deed: string,
  signal: AbortSignal | undefined,
): Promise<ImgpackError> {
  const body = await startOf(answer);
  signal?.throwIfAborted();
  return engineRefusal(deed, saidIn(body) ?? (body.toString("utf8").trim() || `status ${answer.statusCode}`));
}

/** The first bytes of an answer; what comes of one that ends too early. */
async function startOf(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const stop = startDeadline(ERROR_MS, () => answer.destroy());
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= MAX_ERROR_BYTES) break;
    }
  } catch {
    // The status says that it is an error, too.
  } finally {
    stop();
  }
  return Buffer.concat(parts).subarray(0, MAX_ERROR_BYTES);
}

/** The message in an error document; undefined for anything else. */
export function saidIn(body: Uint8Array): string | undefined {
  const fail = (): Error => new EngineError("Cannot read an answer");
  try {
    const limits = {
      what: "answer",
      where: "the engine",
      maxBytes: MAX_ERROR_BYTES,
      maxTokens: MAX_ERROR_TOKENS,
      fail,
    };
    const { message, error } = checkSchema(REFUSAL, parseJson(body, limits), "answer", "the engine", fail);
    return error ?? message ?? undefined;
  } catch {
    return undefined;
  }
}
