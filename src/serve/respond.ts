import type { IncomingMessage, ServerResponse } from "node:http";
import { errorCode } from "../util/error-code.ts";
import { requireLogin } from "./access/login.ts";
import type { PasswordCheck } from "./access/password-check.ts";
import { type Answer, refusalAnswer, sendAnswer } from "./answer.ts";
import type { ConnectionTable } from "./connections/connection-table.ts";
import type { Release, Slots } from "./connections/slots.ts";
import { ClientGoneError } from "./content/client-gone-error.ts";
import type { ServedRegistry } from "./content/served-registry.ts";
import type { Watch } from "./exchange.ts";
import { handleRequest, type WritableStore } from "./handle-request.ts";
import type { PageSite } from "./page/page-site.ts";
import { Refusal } from "./refusal.ts";
import { isPagePath, matchRoute, routeLabel } from "./routes.ts";
import type { ServeEvent } from "./serve-event.ts";
import { checkOrigin, type HostRule, plainAddress, shownHost, takeTarget } from "./trusted-host.ts";
import type { RequestCounts } from "./watch/request-counts.ts";

/** What all requests of a server share. */
export interface ServerParts {
  readonly hosts: HostRule;
  readonly registry: ServedRegistry;
  /** Undefined for a registry that is only read. */
  readonly store: WritableStore | undefined;
  /** Answers what `isPagePath` says. */
  readonly pages: PageSite;
  /** Undefined if everyone may use the registry. */
  readonly passwords: PasswordCheck | undefined;
  readonly connections: ConnectionTable;
  /** For requests that last as long as the client likes. */
  readonly transfers: Slots;
  /** For the others. */
  readonly lookups: Slots;
  readonly counts: RequestCounts;
  readonly watch: Watch;
  readonly onEvent: ((event: ServeEvent) => void) | undefined;
  /** Is called with the address of a client, and why it is refused. */
  readonly onRefused: (remoteAddress: string, found: string) => void;
}

/** A request on its way. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly start: number;
  readonly remoteAddress: string;
  /** Who logged in. */
  user: string | undefined;
}

/** Answers a request. Never rejects: an error of one request does not affect others. */
export async function respond(request: IncomingMessage, response: ServerResponse, parts: ServerParts): Promise<void> {
  takeTarget(request);
  const { socket } = request;
  const start = performance.now();
  const visit: Visit = { request, response, start, remoteAddress: plainAddress(socket.remoteAddress), user: undefined };
  // Before there is a slot: those who guess passwords must not keep others waiting.
  const refusal = await parts.connections.inLine(socket, admit(visit, parts));
  if (refusal !== undefined) {
    await send(visit, refusal, parts);
    return;
  }
  const isSlotHeldToEnd = isTransfer(request);
  const slots = isSlotHeldToEnd ? parts.transfers : parts.lookups;
  const release = await parts.connections.inLine(socket, slots.acquire(socket));
  if (release === undefined) return;
  try {
    await answerAndSend(visit, parts, isSlotHeldToEnd ? () => undefined : release);
  } finally {
    release();
  }
}

/** Such a request keeps a file or memory while the client sends or takes a body, which may be slow. */
function isTransfer({ method, url = "", headers }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  return hasBody || method === "PUT" || (method === "GET" && !/^\/(?:v2\/?|healthz|metrics)$/.test(url));
}

/** Checks who asks. @returns the answer for those who may not. */
async function admit(visit: Visit, parts: ServerParts): Promise<Answer | undefined> {
  const { request } = visit;
  const { connections, hosts, passwords } = parts;
  return await refusedOr(visit, parts, async () => {
    if (connections.isSurplus(request.socket)) throw busy("too many connections are open");
    checkOrigin(request, hosts);
    const isOpen = passwords === undefined || request.url === "/healthz";
    if (!isOpen) visit.user = await requireLogin(request, passwords);
    return undefined;
  });
}

async function answerAndSend(visit: Visit, parts: ServerParts, onAnswer: Release): Promise<void> {
  const { request, response } = visit;
  const { hosts, registry, store, pages, watch } = parts;
  const gone = new AbortController();
  response.once("close", () => gone.abort(new ClientGoneError()));
  const answer = await refusedOr(visit, parts, async () => {
    // The server closes: what it knows of the store is old.
    if (store !== undefined && !(await store.registry.isSafe())) return undefined;
    const { url = "" } = request;
    if (isPagePath(url)) return await pages.answer(request, shownHost(request, hosts), gone.signal);
    const { route, query } = matchRoute(url);
    return await handleRequest(route, { request, query, registry, watch }, store);
  });
  onAnswer();
  if (answer !== undefined) await send(visit, answer, parts);
}

/** @returns what `task` returns, or the answer for its error; undefined if the client is gone. */
async function refusedOr(
  { request, remoteAddress }: Visit,
  parts: ServerParts,
  task: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof Refusal) {
      // The rule for names is the server's own: who runs it must see why it refuses.
      if (error.status === 403) parts.onRefused(remoteAddress, error.message);
      return refusalAnswer(error);
    }
    if (error instanceof ClientGoneError) return undefined;
    parts.onEvent?.({ kind: "fault", method: request.method ?? "", path: shownPath(request), error });
    return refusalAnswer(faultRefusal(errorCode(error)));
  }
}

async function send({ request, response, start, ...visit }: Visit, answer: Answer, parts: ServerParts): Promise<void> {
  const { connections, counts, onEvent } = parts;
  const { method = "", url = "" } = request;
  if (connections.isDraining) response.setHeader("connection", "close");
  const { fault, ...sent } = await sendAnswer(response, answer, method === "HEAD");
  if (fault !== undefined) onEvent?.({ kind: "fault", method, path: shownPath(request), error: fault });
  const outcome = { method, status: answer.status, ...sent, durationMs: performance.now() - start };
  counts.add({ ...outcome, route: routeLabel(url) });
  onEvent?.({ kind: "request", path: shownPath(request), ...outcome, ...visit });
}

function shownPath({ url = "" }: IncomingMessage): string {
  return url.replace(/\?.*$/s, "").replace(/(\/blobs\/uploads\/).+$/, "$1…");
}

function faultRefusal(code: string): Refusal {
  if (code === "ENOSPC" || code === "EDQUOT") return new Refusal(507, "DENIED", "the registry's disk is full");
  if (code === "EMFILE" || code === "ENFILE") return busy("the registry has too many open files");
  return new Refusal(500, "UNKNOWN", "the storage of the registry failed; see its log");
}

function busy(message: string): Refusal {
  return new Refusal(503, "TOOMANYREQUESTS", message, { headers: { "retry-after": "1", connection: "close" } });
}
