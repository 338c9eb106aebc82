import { StorageError } from "../../errors.ts";
import { quote } from "../format.ts";
import { type LockOwner, WATCH_MS } from "./contest.ts";

/** The error for a lock that is taken; the owner is undefined where it is not known. */
export type LockRefusal = (output: string, owner: LockOwner | undefined) => StorageError;

/** The error for a lock that another process took over. */
export type LockLoss = (output: string) => StorageError;

/** The default loss. */
export function isTakenOver(output: string): StorageError {
  return new StorageError(
    `Cannot write ${quote(output)}: another run took it over while this one stood still, expected to own it`,
    { hint: "Wait for the other run to end, or choose another output name." },
  );
}

/** Who has the lock, for messages. */
export function ownerText(owner: LockOwner | undefined): string {
  if (owner === undefined) return "another process";
  return owner.isElsewhere ? `process ${owner.pid} of another container or machine` : `process ${owner.pid}`;
}

/** The default refusal. */
export function isBeingWritten(output: string, owner: LockOwner | undefined): StorageError {
  return new StorageError(`Cannot write ${quote(output)}: ${ownerText(owner)} is writing it, expected no other`, {
    hint: "Wait for it to end, or choose another output name.",
  });
}

export function waitNote(output: string, { pid }: LockOwner): string {
  return `${quote(output)} is in use by process ${pid} of another container or machine: waiting ${WATCH_MS / 1000} s to see whether it still runs`;
}
