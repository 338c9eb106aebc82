import { type Operation, watchOperations } from "../../src/util/operation-hook.ts";

/** What the system says, and how messages put it. */
export const CAUSES = {
  ENOSPC: "no space left",
  EDQUOT: "quota used up",
  EFBIG: "file too large",
  EIO: "input or output error",
  EROFS: "read-only file system",
} as const;

/** One operation fails with a code, or writes half; or from it on the disk is full. */
export type Fault = keyof typeof CAUSES | "short" | "full";
export const FAULTS: readonly Fault[] = ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "short", "full"];

export interface Faulted {
  readonly error: unknown;
  /** Operations of the run. */
  readonly count: number;
  /** The operation at `at`; undefined when the run did fewer, or could not be disturbed there. */
  readonly hit: Operation | undefined;
}

/** @param at the operation to disturb, counted from 0; none without it. */
export async function withFault(work: () => Promise<unknown>, fault?: Fault, at = -1): Promise<Faulted> {
  let count = 0;
  let hit: Operation | undefined;
  watchOperations(async (operation, run) => {
    const index = count;
    count += 1;
    if (fault === undefined || at < 0 || index < at) return await run();
    if (fault === "full") {
      if (!["create", "write", "truncate", "make-folder"].includes(operation.kind)) return await run();
      hit ??= operation;
      throw systemError("ENOSPC", operation);
    }
    if (index !== at) return await run();
    if (fault !== "short") {
      hit = operation;
      throw systemError(fault, operation);
    }
    if (operation.bytes === undefined || operation.bytes.length < 2) return await run();
    hit = operation;
    return await run(operation.bytes.subarray(0, Math.floor(operation.bytes.length / 2)));
  });
  try {
    await work();
    return { error: undefined, count, hit };
  } catch (error) {
    return { error, count, hit };
  } finally {
    watchOperations(undefined);
  }
}

/** How messages name it. */
export function causeOf(fault: Fault): string {
  return fault === "full" || fault === "short" ? CAUSES.ENOSPC : CAUSES[fault];
}

function systemError(code: keyof typeof CAUSES, { kind, target }: Operation): Error {
  return Object.assign(new Error(`${code}: ${CAUSES[code]}, ${kind} '${target}'`), {
    code,
    syscall: kind,
    path: target,
  });
}
