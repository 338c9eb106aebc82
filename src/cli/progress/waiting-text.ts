import { counted, escapeForeign, formatDuration } from "../../util/format.ts";
import type { BlobState, ProgressState, WaitState } from "./progress-state.ts";

/** Registries and hosts that a line names. */
const SHOWN = 3;

/** Without a known reason, a run is most likely busy. */
const UNKNOWN_MS = 4000;

/**
 * What the whole run waits for, such as `waiting for registry.lan:5000: status 429, next try in 30 s`; undefined if it is
 * too early to say.
 *
 * @param limitRate the limit that the user gave.
 */
export function waitingText(
  { waits, underWay }: ProgressState,
  idleMs: number,
  limitRate: string | undefined,
): string | undefined {
  const texts = [...waits.map(waitText), ...blobTexts(underWay, waits)];
  if (texts.length === 0) return idleMs < UNKNOWN_MS ? undefined : `no progress for ${seconds(idleMs)}`;
  const more = texts.length > SHOWN ? `; and for ${texts.length - SHOWN} more` : "";
  const slow = limitRate === undefined || waits.length > 0 ? "" : `; --limit-rate ${limitRate} slows all transfers`;
  return `${texts.slice(0, SHOWN).join("; ")}${more}${slow}`;
}

const REASONS = {
  limit: "it limits requests",
  outage: "it does not answer any more",
  retry: "requests failed",
} as const;

/** What requests to one registry wait for. */
export function waitText({
  registry,
  reason,
  status,
  requests,
  waitedMs,
  nextMs,
  patienceMs,
  what,
}: WaitState): string {
  const who = `waiting for ${escapeForeign(registry)}`;
  if (reason === "answer") {
    const asked = requests === 1 ? escapeForeign(what) : counted(requests, "request");
    return `${who}: no answer to ${asked} for ${seconds(waitedMs)}`;
  }
  const why = status === undefined ? REASONS[reason] : `status ${status}`;
  const again = requests > 1 ? `, ${counted(requests, "retry", "retries")}` : "";
  const long =
    reason === "outage"
      ? ` for ${seconds(waitedMs)}${patienceMs === undefined ? "" : ` of ${seconds(patienceMs)}`}`
      : "";
  return `${who}: ${why}${long}${again}${nextMs === undefined ? "" : `, next try in ${seconds(nextMs)}`}`;
}

/** The end of a blob that is waited for; undefined for files. */
export function waitedHost({ from, to, bytes, size }: BlobState): string | undefined {
  return bytes >= size ? (to ?? from) : (from ?? to);
}

/** Blobs that do not move, by the host that is waited for; without hosts that are waited for anyway. */
function blobTexts(blobs: readonly BlobState[], waits: readonly WaitState[]): readonly string[] {
  const named = new Set(waits.map(({ registry }) => registry));
  const groups = new Map<
    string,
    { readonly host: string | undefined; readonly idle: number[]; readonly isFrom: boolean }
  >();
  for (const blob of blobs) {
    const host = waitedHost(blob);
    if (!blob.isIdle || (host !== undefined && named.has(host))) continue;
    const isFrom = host === blob.from;
    const key = `${isFrom} ${host}`;
    const group = groups.get(key) ?? { host, idle: [], isFrom };
    group.idle.push(blob.idleMs);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ host, idle, isFrom }) => {
    const where = host === undefined ? "" : `${isFrom ? " from " : " to "}${escapeForeign(host)}`;
    const since = seconds(idle.reduce((least, one) => Math.min(least, one)));
    const moved = idle.length === 1 ? "it has not moved" : "none has moved";
    return `waiting for ${counted(idle.length, "blob")}${where}, ${moved} for ${since}`;
  });
}

/** Whole seconds, below one minute; a wait that is over has 0. */
export function seconds(ms: number): string {
  return formatDuration(Math.max(0, Math.round(ms / 1000)));
}
