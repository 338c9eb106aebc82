import { appendFileSync } from "node:fs";
import type { Operation, Watcher } from "../../src/util/operation-hook.ts";

/** What a run under torture is to suffer; comes as JSON in IMGPACK_TORTURE. Operations are counted from 1. */
export interface Torment {
  /** SIGKILL at one operation; torn: in the middle of a write, and before anything else. */
  readonly kill?: { readonly at: number; readonly when: "before" | "after" | "torn" };
  /** One operation fails as the system makes them fail, such as ENOSPC. */
  readonly fail?: { readonly at: number; readonly code: string };
  /** One write takes half of its bytes. */
  readonly shorten?: number;
  /** File that gets a line of JSON for each operation, before it runs. */
  readonly log?: string;
}

export interface LoggedOperation {
  readonly kind: Operation["kind"];
  readonly target: string;
  readonly position?: number;
  readonly length?: number;
}

/** @param kill ends this process; nothing goes on after it. */
export function createWatcher({ kill, fail, shorten, log }: Torment, end: () => void): Watcher {
  let count = 0;
  return async (operation, run) => {
    count += 1;
    const at = count;
    const { kind, target, position, bytes } = operation;
    if (log !== undefined)
      appendFileSync(log, `${JSON.stringify({ kind, target, position, length: bytes?.length })}\n`);
    if (fail?.at === at) throw Object.assign(new Error(`${fail.code}: torture, ${kind}`), { code: fail.code });
    const half = bytes?.subarray(0, Math.ceil(bytes.length / 2));
    if (shorten === at && half !== undefined) return await run(half);
    if (kill?.at !== at) return await run();
    if (kill.when === "torn" && half !== undefined) await run(half);
    if (kill.when === "after") await run();
    end();
    return await new Promise(() => undefined);
  };
}
