// Faults drawn from a seed: the same seed, the same faults.
import type { Reply } from "../support/memory-registry.ts";
import type { Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import type { WireFault } from "./fault-proxy.ts";

/** Numbers from 0 up to 1 (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: () => number, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

const WHERE: readonly RegExp[] = [
  /^GET .*\/blobs\/sha/,
  /^GET .*\/manifests\//,
  /^HEAD /,
  /^POST .*\/uploads\//,
  /^PATCH /,
  /^PUT .*\/uploads\//,
  /^PUT .*\/manifests\//,
  /^(GET|PUT|PATCH|POST|HEAD) /,
];

type Make = (random: () => number, registry: ScriptedRegistry) => Omit<Fault, "on">;

const ANSWERS: Readonly<Record<string, Make>> = {
  burst: random => ({
    times: 1 + Math.floor(random() * 4),
    reply: { status: pick(random, [500, 502, 503, 504, 408, 499]) },
  }),
  limit: random => ({
    times: 1 + Math.floor(random() * 2),
    reply: {
      status: pick(random, [429, 503]),
      headers: { "retry-after": pick(random, ["0", "2", "soon", "Sat, 21 Nov 2099 04:00:00 GMT"]) },
    },
  }),
  hidden: () => ({ hidden: true, reply: { status: 502 } }),
  expired: (_random, registry) => ({ onRequest: () => registry.tokens.clear() }),
  refused: random => ({ reply: { status: pick(random, [400, 403, 404, 405, 413, 416]) } }),
  lost: () => ({
    reply: {
      status: 404,
      headers: { "content-type": "application/json" },
      body: Buffer.from('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'),
    },
  }),
  reset: () => ({ cut: "before" }),
  cut: random => ({ cut: Math.floor(random() * 900_000) }),
  shorter: random => ({ change: ({ body }) => ({ body: body.subarray(0, Math.floor(body.length * random())) }) }),
  altered: random => ({ change: ({ body }) => ({ body: altered(body, random) }) }),
  "other range": random => ({ change: reply => ({ headers: otherRange(reply, random) }) }),
  // Of what is not there, a registry that is merely broken does not say that it is.
  "no range": () => ({
    change: ({ status, headers: { "content-range": _left, ...headers } }) =>
      status === 206 ? { status: 200, headers } : {},
  }),
};
export const ANSWER_KINDS: readonly string[] = Object.keys(ANSWERS);

export function answerFault(random: () => number, registry: ScriptedRegistry): { readonly kind: string } & Fault {
  const kind = pick(random, ANSWER_KINDS);
  const made = ANSWERS[kind]?.(random, registry) ?? {};
  return { kind, on: pick(random, WHERE), ...made };
}

export function wireFault(random: () => number): WireFault {
  return {
    way: pick(random, ["up", "down"]),
    at: Math.floor(random() ** 3 * 2_500_000),
    kind: pick(random, ["reset", "reset", "end", "stall", "garbage", "repeat"]),
  };
}

function altered(body: Buffer, random: () => number): Buffer {
  if (body.length === 0) return body;
  const other = Buffer.from(body);
  const at = Math.floor(random() * body.length);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

function otherRange({ headers }: Reply, random: () => number): Reply["headers"] {
  const shift = pick(random, [1, 512, 100_000]);
  const found = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(headers["content-range"] ?? ""));
  if (found === null) return { ...headers, range: `0-${shift}` };
  const [, start, end, size] = found.map(Number);
  return { ...headers, "content-range": `bytes ${(start ?? 0) + shift}-${(end ?? 0) + shift}/${size}` };
}
