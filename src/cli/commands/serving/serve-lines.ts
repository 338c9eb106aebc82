import type { ServeEvent } from "../../../index.ts";
import { escapeForeign, escapeJson, quote } from "../../../util/format.ts";
import { MAX_NOTE } from "../../output/note-text.ts";

/** How `serve` reports requests. */
export const LOG_STYLES = ["text", "json", "none"] as const;
export type LogStyle = (typeof LOG_STYLES)[number];

type Of<Kind extends ServeEvent["kind"]> = Extract<ServeEvent, { readonly kind: Kind }>;

/** One line on stderr for what a server reports; undefined for what the style leaves out. Foreign text is escaped. */
export function serveLine(event: ServeEvent, style: LogStyle, now: Date): string | undefined {
  if (event.kind === "request" || event.kind === "connection") {
    if (style === "none") return undefined;
    const time = now.toISOString();
    if (style === "json") return escapeJson(JSON.stringify({ time, ...fields(event) }));
    return `${time} ${event.kind === "request" ? requestText(event) : connectionText(event)}`;
  }
  const message = messageOf(event);
  return style === "json"
    ? escapeJson(JSON.stringify({ time: now.toISOString(), kind: event.kind, message }))
    : message;
}

function requestText(event: Of<"request">): string {
  const { remoteAddress, user, method, path, status, sentBytes, isCut, durationMs } = event;
  const who = `${remoteAddress || "-"} ${user === undefined ? "-" : quote(user)}`;
  const request = quote(`${method} ${path}`);
  return `${who} ${request} ${status} ${sentBytes} ${durationMs.toFixed(0)}ms${isCut ? " cut" : ""}`;
}

function connectionText({ remoteAddress, found }: Of<"connection">): string {
  return `${remoteAddress || "-"} - ${escapeForeign(found, MAX_NOTE)}`;
}

function fields(event: Of<"request"> | Of<"connection">): object {
  if (event.kind === "connection") return { kind: event.kind, remote: event.remoteAddress, message: event.found };
  const { kind, remoteAddress, user, method, path, status, sentBytes, isCut, durationMs } = event;
  const request = { method, path: path.slice(0, MAX_NOTE), status, bytes: sentBytes, ms: Math.round(durationMs) };
  return { kind, remote: remoteAddress, user, ...request, ...(isCut ? { cut: true } : {}) };
}

/** What the server answers with status 500 or 404 is explained here. */
function messageOf(event: Of<"note"> | Of<"damage"> | Of<"fault">): string {
  if (event.kind === "note") return escapeForeign(event.message, MAX_NOTE);
  if (event.kind === "damage") {
    const { path, found } = event;
    return `${quote(path)} is damaged (${escapeForeign(found, MAX_NOTE)}): push what it belongs to again`;
  }
  return escapeForeign(`${event.method} ${event.path} failed: ${String(event.error)}`, MAX_NOTE);
}
