import { StorageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { ownerText } from "../../util/lock/lock-words.ts";
import type { LockOptions } from "../../util/lock/process-lock.ts";

/** What is said of a store that another process has, or took over. */
type StoreClaim = Required<Pick<LockOptions, "refusal" | "loss">>;

/** Of a server. */
export const SERVER_CLAIM: StoreClaim = storeClaim(
  "serve registry from",
  'Stop the other server; if there is none, remove the file "lock" in the store.',
  "Use the other server, or stop it and start this one again.",
);

/** Of a sweep. */
export const SWEEP_CLAIM: StoreClaim = storeClaim(
  "sweep store",
  'Stop its server first; if there is none, remove the file "lock" in the store.',
  "Run the same command again when no server runs.",
);

/** @param whileTaken what to do while another process has it. @param afterLoss what to do after it took it over. */
function storeClaim(action: string, whileTaken: string, afterLoss: string): StoreClaim {
  return {
    refusal: (folder, owner) =>
      new StorageError(
        `Cannot ${action} ${quote(folder)}: store in use by ${ownerText(owner)}, expected a free store`,
        { hint: whileTaken },
      ),
    loss: folder =>
      new StorageError(
        `Cannot ${action} ${quote(folder)}: another process took it over while this one stood still, expected to own it`,
        { hint: afterLoss },
      ),
  };
}
