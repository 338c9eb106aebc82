import { basename } from "node:path";
import type { BlobFile } from "../../content/contracts.ts";
import { StorageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import type { DamageLog } from "../content/damage-log.ts";
import { Refusal } from "../refusal.ts";

interface Watched {
  /** A look at the file that has not ended: who comes meanwhile shares it. */
  looking?: Promise<void> | undefined;
  changed?: Refusal | undefined;
}

/** Looks whether files still are what they were when they were opened. One that has changed stays out until the next start. */
export class ServedFiles {
  readonly #log: DamageLog;
  readonly #watched = new Map<string, Watched>();

  constructor(log: DamageLog) {
    this.#log = log;
  }

  /** @throws Refusal 503 */
  async confirm(files: Iterable<BlobFile>): Promise<void> {
    for (const file of files) {
      const watched = this.#watched.get(file.path) ?? {};
      this.#watched.set(file.path, watched);
      if (watched.changed === undefined) {
        watched.looking ??= this.#look(file, watched).finally(() => {
          watched.looking = undefined;
        });
        await watched.looking;
      }
      if (watched.changed !== undefined) throw watched.changed;
    }
  }

  async #look(file: BlobFile, watched: Watched): Promise<void> {
    try {
      await file.confirm();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      watched.changed = changedRefusal(file.path);
      this.#log.add({ path: file.path, found: error.message });
    }
  }
}

export function changedRefusal(path: string): Refusal {
  const file = basename(path);
  return new Refusal(
    503,
    "UNKNOWN",
    `file ${quote(file)} has changed since this registry was started: start it again`,
    {
      detail: { reason: "changed", file },
    },
  );
}
