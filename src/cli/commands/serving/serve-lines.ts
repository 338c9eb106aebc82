import type { ServeEvent } from "../../../index.ts";
import { escapeForeign, escapeJson, quote } from "../../../util/format.ts";
import { MAX_NOTE } from "../../output/note-text.ts";

/** How `serve` reports requests. */
export const LOG_STYLES = ["text", "json", "none"] as const;
export type LogStyle = (typeof LOG_STYLES)[number];
/** The longest path of the protocol has 512 bytes. */
const MAX_REQUEST = 600;

export interface LogOptions {
  readonly style: LogStyle;
  /** Archives are served: what is damaged cannot be pushed again. */
  readonly isReadOnly: boolean;
}

type Of<Kind extends ServeEvent["kind"]> = Extract<ServeEvent, { readonly kind: Kind }>;

/** One line on stderr for what a server reports; undefined for what the style leaves out. Foreign text is escaped. */
export function serveLine(event: ServeEvent, { style, isReadOnly }: LogOptions, now: Date): string | undefined {
  if (event.kind === "request" || event.kind === "connection") {
    if (style === "none") return undefined;
    const time = now.toISOString();
    if (style === "json") return escapeJson(JSON.stringify({ time, ...fields(event) }));
    return `${time} ${event.kind === "request" ? requestText(event) : connectionText(event)}`;
  }
  const message = messageOf(event, isReadOnly);
  const time = now.toISOString();
  if (style === "json") return escapeJson(JSON.stringify({ time, kind: event.kind, message }));
  return event.kind === "note" ? message : `${time} ${message}`;
}

function requestText(event: Of<"request">): string {
  const { remoteAddress, user, method, path, status, sentBytes, isCut, durationMs } = event;
  const who = `${remoteAddress || "-"} ${user === undefined ? "-" : quote(user)}`;
  const request = `"${escapeForeign(`${method} ${path}`, MAX_REQUEST).replaceAll('"', '\\"')}"`;
  return `${who} ${request} ${status} ${sentBytes} ${durationMs.toFixed(0)}ms${isCut ? " cut" : ""}`;
}

function connectionText({ remoteAddress, found }: Of<"connection">): string {
  return `${remoteAddress || "-"} - ${escapeForeign(found, MAX_NOTE)}`;
}

function fields(event: Of<"request"> | Of<"connection">): object {
  if (event.kind === "connection") return { kind: event.kind, remote: event.remoteAddress, message: event.found };
  const { kind, remoteAddress, user, method, path, status, sentBytes, isCut, durationMs } = event;
  const request = { method, path: path.slice(0, MAX_REQUEST), status, bytes: sentBytes, ms: Math.round(durationMs) };
  return { kind, remote: remoteAddress, user, ...request, ...(isCut ? { cut: true } : {}) };
}

/** What the server answers with status 500 or 404 is explained here. */
function messageOf(event: Of<"note"> | Of<"damage"> | Of<"fault">, isReadOnly: boolean): string {
  if (event.kind === "note") return escapeForeign(event.message, MAX_NOTE);
  if (event.kind === "damage") {
    const { path, digest, range, found, hasChanged } = event;
    if (hasChanged) return `${quote(path)} has changed: start the registry again (${escapeForeign(found, MAX_NOTE)})`;
    const bytes = range === undefined ? "" : `bytes ${range.start} to ${range.end - 1} of `;
    const where = digest === undefined ? "" : `${bytes}blob ${digest}, `;
    const advice = isReadOnly ? '"imgpack verify" says what is lost' : "push what it belongs to again";
    return `${quote(path)} is damaged (${where}found ${escapeForeign(found, MAX_NOTE)}): ${advice}`;
  }
  return escapeForeign(`${event.method} ${event.path} failed: ${String(event.error)}`, MAX_NOTE);
}
