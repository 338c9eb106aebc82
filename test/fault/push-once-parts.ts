// A layer from a pipe that goes out in parts, to a registry that breaks one of them.
import type { Reply } from "../support/memory-registry.ts";
import { ScriptedRegistry, type SeenRequest } from "../support/scripted-registry.ts";
import { HUGE_BYTES, ordered, pushBytes, tarLayer } from "./push-once-support.ts";
import type { Pushed } from "./push-support.ts";

export const LAYER: Buffer = tarLayer("huge", HUGE_BYTES);
export const IMAGE: Uint8Array = ordered([LAYER], ["m", 0]);
export const PATCH: RegExp = /^PATCH /;
export const STATUS: RegExp = /^GET .*\/uploads\//;
export const CLOSE: RegExp = /^PUT .*\/uploads\//;
/** Only the PUT behind the parts is empty. */
export const isEmpty = ({ headers }: SeenRequest): boolean => headers["content-length"] === "0";
const NOTHING = Buffer.alloc(0);

const startOf = ({ headers }: Pick<SeenRequest, "headers">): number => Number(headers["content-range"]?.split("-")[0]);
export const isFirst = (request: Pick<SeenRequest, "headers">): boolean => startOf(request) === 0;
export const isLater = (request: Pick<SeenRequest, "headers">): boolean => startOf(request) > 0;

export async function pushHuge(registry: ScriptedRegistry, options: object = {}): Promise<Pushed> {
  return await pushBytes(registry, "pipe", IMAGE, { tag: [`${registry.host}/app:1`], ...options });
}

export interface Breaking {
  readonly when: (request: Pick<SeenRequest, "headers">) => boolean;
  /** Bytes of the part that were stored all the same. */
  readonly keep: (bytes: number) => number;
  readonly answer?: Partial<Reply>;
}

/** Of the bytes of a part. */
export const half = (bytes: number): number => Math.floor(bytes / 2);

/** A registry that takes parts only where the last one ended, tells where that was, and breaks one part. */
export async function strictRegistry({ when, keep, answer }: Breaking): Promise<ScriptedRegistry> {
  const registry = await ScriptedRegistry.start();
  const right = registry.content.answer.bind(registry.content);
  const held = new Map<string, number>();
  let isBroken = false;
  registry.content.answer = (method, url, headers, body) => {
    const had = held.get(url) ?? 0;
    const state = { location: url, range: `0-${Math.max(0, had - 1)}` };
    if (method === "GET" && url.includes("/uploads/")) return { status: 204, headers: state, body: NOTHING };
    if (method !== "PATCH") return right(method, url, headers, body);
    if (startOf({ headers }) !== had) return { status: 416, headers: state, body: NOTHING };
    const isNow = !isBroken && when({ headers });
    isBroken ||= isNow;
    const taken = isNow ? body.subarray(0, keep(body.length)) : body;
    held.set(url, had + taken.length);
    const reply = right(method, url, headers, taken);
    return isNow ? { status: 500, headers: {}, body: NOTHING, ...answer } : reply;
  };
  return registry;
}
