import { basename, resolve } from "node:path";
import { StorageError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { SystemFault, storageState } from "../util/system-fault.ts";
import { ArchiveRegistry } from "./archives/archive-registry.ts";
import type { DamageReport } from "./content/damage-log.ts";
import type { ServedRegistry } from "./content/served-registry.ts";
import { RegistryFolder } from "./folder/registry-folder.ts";
import type { WritableStore } from "./handle-request.ts";
import type { ServeEvent } from "./serve-event.ts";
import { UploadTable } from "./uploads/upload-table.ts";

/** What a server answers from, while it runs. */
export interface OpenedRegistry {
  readonly registry: ServedRegistry;
  /** Undefined for archives: they are only read. */
  readonly store: WritableStore | undefined;
  /** Name of the store's folder; "" for archives. */
  readonly name: string;
  /** What keeps it from answering, in words for everyone, without paths; undefined if nothing does. */
  readonly fault: () => Promise<string | undefined>;
  /** Resolves once another process serves the store. */
  readonly lost: Promise<StorageError> | undefined;
  /** Is called when no request runs any more. */
  close(): Promise<void>;
}

export interface OpenRegistryOptions {
  /** Time in milliseconds, for uploads. */
  readonly now: () => number;
  readonly onEvent: ((event: ServeEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** @throws as `ArchiveRegistry.open` */
export async function openArchivesRegistry(
  archives: readonly string[],
  { onEvent, signal }: OpenRegistryOptions,
): Promise<OpenedRegistry> {
  const registry = await ArchiveRegistry.open(archives, {
    onNote: message => onEvent?.({ kind: "note", message }),
    onDamage: damageEvents(onEvent),
    signal,
  });
  for (const message of registry.startNotes) onEvent?.({ kind: "note", message });
  return {
    registry,
    store: undefined,
    name: "",
    fault: async () => {
      await registry.lookAtFiles();
      const changed = registry.damage.find(({ hasChanged }) => hasChanged === true);
      return changed && `file ${quote(basename(changed.path))} has changed: start the registry again`;
    },
    lost: undefined,
    close: async () => await registry[Symbol.asyncDispose](),
  };
}

/** @throws StorageError for a folder that cannot be used. */
export async function openStoreRegistry(store: string, options: OpenRegistryOptions): Promise<OpenedRegistry> {
  const folder = resolve(store);
  const registry = await openFolder(folder, options);
  const uploads = new UploadTable(registry, options.now);
  return {
    registry,
    store: { registry, uploads },
    name: basename(folder),
    fault: async () => await faultOf(registry),
    lost: registry.lost,
    async close() {
      await uploads.endAll();
      await registry.close();
    },
  };
}

async function faultOf(store: RegistryFolder): Promise<string | undefined> {
  try {
    await store.content.checkFolders();
    return (await store.isSafe()) ? undefined : "another server has the store";
  } catch {
    return "the store cannot be read";
  }
}

async function openFolder(folder: string, { onEvent, signal }: OpenRegistryOptions): Promise<RegistryFolder> {
  const onNote = (message: string): void => onEvent?.({ kind: "note", message });
  try {
    return await RegistryFolder.open(folder, damageEvents(onEvent), { onNote, signal });
  } catch (error) {
    const isExplained = error instanceof StorageError && !(error instanceof SystemFault);
    if (isExplained || signal?.aborted === true) throw error;
    throw new StorageError(
      `Cannot serve registry from ${quote(folder)}: ${storageState(error)}, expected a writable folder`,
      {
        hint: "Name a folder on a local disk that you own.",
        cause: error,
      },
    );
  }
}

function damageEvents(onEvent: OpenRegistryOptions["onEvent"]): DamageReport {
  return damage => onEvent?.({ kind: "damage", ...damage });
}
