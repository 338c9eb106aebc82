import type { BlobFile } from "../../content/contracts.ts";
import { StorageError } from "../../errors.ts";
import type { DamageLog } from "../content/damage-log.ts";
import { Refusal } from "../refusal.ts";
import { changedLack } from "./lacks.ts";

interface Watched {
  /** A look at the file that has not ended: who comes meanwhile shares it. */
  looking?: Promise<void> | undefined;
  changed?: FileChanged | undefined;
}

/** Looks whether files still are what they were when they were opened. One that has changed stays out until the next start. */
export class ServedFiles {
  readonly #log: DamageLog;
  readonly #watched = new Map<string, Watched>();
  #changedCount = 0;

  constructor(log: DamageLog) {
    this.#log = log;
  }

  get changedCount(): number {
    return this.#changedCount;
  }

  hasChanged(path: string): boolean {
    return this.#watched.get(path)?.changed !== undefined;
  }

  /** @throws FileChanged */
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
      this.#changedCount += 1;
      watched.changed = new FileChanged(file.path);
      this.#log.add({ path: file.path, found: error.message, hasChanged: true });
    }
  }
}

/** Status 503: a file is not what it was at the start. */
export class FileChanged extends Refusal {
  readonly path: string;

  constructor(path: string) {
    const { found, hint, file } = changedLack(path);
    super(503, "UNKNOWN", `${found}: ${hint}`, { detail: { reason: "changed", file } });
    this.name = "FileChanged";
    this.path = path;
  }
}
