import type { IncomingMessage, ServerResponse } from "node:http";
import { errorCode } from "../util/error-code.ts";
import { type Answer, refusalAnswer, sendAnswer } from "./answer.ts";
import type { ConnectionTable } from "./connections/connection-table.ts";
import type { Release, Slots } from "./connections/slots.ts";
import type { ServedRegistry } from "./content/served-registry.ts";
import { handleRequest, type WritableStore } from "./handle-request.ts";
import { isProtocolPath } from "./page/page-routes.ts";
import type { PageSite } from "./page/page-site.ts";
import { Refusal } from "./refusal.ts";
import { matchRoute } from "./routes.ts";
import { checkOrigin, type HostRule, shownHost } from "./trusted-host.ts";
import { ClientGoneError } from "./uploads/upload-session.ts";

/** What a served registry reports. */
export type ServeEvent =
  /** A request was answered. */
  | {
      readonly kind: "request";
      readonly method: string;
      /** Without query and upload session: both can be capabilities (security case A-17). Foreign text. */
      readonly path: string;
      readonly status: number;
      /** Body bytes of the answer. */
      readonly sentBytes: number;
      readonly durationMs: number;
    }
  /** The server or its store failed; the client got status 500, 503 or 507. */
  | { readonly kind: "fault"; readonly method: string; readonly path: string; readonly error: unknown }
  /**
   * A file of the store is not what was written, and `found` says what it is. What it belongs to is answered with status
   * 404, until a push brings it again.
   */
  | { readonly kind: "damage"; readonly path: string; readonly found: string }
  /** What happened while the store was opened, as a sentence: why it takes long, what the sweep passed over. */
  | { readonly kind: "note"; readonly message: string };

/** What all requests of a server share. */
export interface ServerParts {
  readonly hosts: HostRule;
  readonly registry: ServedRegistry;
  /** Undefined for a registry that is only read. */
  readonly store: WritableStore | undefined;
  /** Answers everything outside of `/v2/`. */
  readonly pages: PageSite;
  readonly connections: ConnectionTable;
  /** For requests that last as long as the client likes. */
  readonly transfers: Slots;
  /** For the others. */
  readonly lookups: Slots;
  readonly onEvent: ((event: ServeEvent) => void) | undefined;
}

/** Answers a request. Never rejects: an error of one request does not affect others. */
export async function respond(request: IncomingMessage, response: ServerResponse, parts: ServerParts): Promise<void> {
  const { socket } = request;
  const isSlotHeldToEnd = isTransfer(request);
  const release = await parts.connections.inLine(
    socket,
    (isSlotHeldToEnd ? parts.transfers : parts.lookups).acquire(socket),
  );
  if (release === undefined) return;
  try {
    await answerAndSend(request, response, parts, isSlotHeldToEnd ? () => undefined : release);
  } finally {
    release();
  }
}

/** Such a request keeps a file or memory while the client sends or takes a body, which may be slow. */
function isTransfer({ method, url = "", headers }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  return hasBody || method === "PUT" || (method === "GET" && !/^\/v2\/?$/.test(url));
}

async function answerAndSend(
  request: IncomingMessage,
  response: ServerResponse,
  parts: ServerParts,
  onAnswer: Release,
): Promise<void> {
  const start = performance.now();
  const { method = "", url = "" } = request;
  const path = url.replace(/\?.*$/, "").replace(/(\/blobs\/uploads\/).+$/, "$1…");
  const gone = new AbortController();
  response.once("close", () => gone.abort(new ClientGoneError()));
  const answer = await answerTo(request, parts, gone.signal, error =>
    parts.onEvent?.({ kind: "fault", method, path, error }),
  );
  onAnswer();
  if (answer === undefined) return;
  let sentBytes = 0;
  try {
    sentBytes = await sendAnswer(response, answer, method === "HEAD");
  } catch {
    // The connection is gone, or the body could not be read to its end: cut, so that no client takes it as complete.
    response.destroy();
  }
  const durationMs = performance.now() - start;
  parts.onEvent?.({ kind: "request", method, path, status: answer.status, sentBytes, durationMs });
}

/** @returns undefined if the client is gone. */
async function answerTo(
  request: IncomingMessage,
  { hosts, registry, store, pages, connections }: ServerParts,
  signal: AbortSignal,
  onFault: (error: unknown) => void,
): Promise<Answer | undefined> {
  try {
    if (connections.isSurplus(request.socket)) throw busy("too many connections are open");
    checkOrigin(request, hosts);
    // The server closes: what it knows of the store is old.
    if (store !== undefined && !(await store.registry.isSafe())) return undefined;
    if (!isProtocolPath(request.url ?? "")) return await pages.answer(request, shownHost(request, hosts), signal);
    const { route, query } = matchRoute(request.url ?? "");
    return await handleRequest(route, { request, query, registry }, store);
  } catch (error) {
    if (error instanceof Refusal) return refusalAnswer(error);
    if (error instanceof ClientGoneError) return undefined;
    onFault(error);
    return refusalAnswer(faultRefusal(errorCode(error)));
  }
}

function faultRefusal(code: string): Refusal {
  if (code === "ENOSPC" || code === "EDQUOT") return new Refusal(507, "DENIED", "the registry's disk is full");
  if (code === "EMFILE" || code === "ENFILE") return busy("the registry has too many open files");
  return new Refusal(500, "UNKNOWN", "the storage of the registry failed; see its log");
}

function busy(message: string): Refusal {
  return new Refusal(503, "TOOMANYREQUESTS", message, { headers: { "retry-after": "1", connection: "close" } });
}
