import { StorageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import type { LockOwner } from "../../util/lock/contest.ts";
import { ownerText } from "../../util/lock/lock-words.ts";

export function inUse(folder: string, owner: LockOwner | undefined): StorageError {
  return new StorageError(
    `Cannot serve registry from ${quote(folder)}: store in use by ${ownerText(owner)}, expected a free store`,
    { hint: 'Stop the other server; if there is none, remove the file "lock" in the store.' },
  );
}

export function takenOver(folder: string): StorageError {
  return new StorageError(
    `Cannot serve registry from ${quote(folder)}: another server took the store over while this one stood still, expected to own it`,
    { hint: "Use the other server, or stop it and start this one again." },
  );
}
