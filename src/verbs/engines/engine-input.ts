import type { Readable } from "node:stream";
import type { OpenArchiveOptions } from "../../archive/open/open-archive-options.ts";
import type { UsedEngine } from "../../engine/engine.ts";
import { InternalError } from "../../errors.ts";
import { readEngineName } from "../../oci/names/engine-name.ts";

/** An image that an engine has. */
export interface FoundImage {
  readonly engine: UsedEngine;
  /** With registry and tag, as its archive has it; undefined for one that is named by its id or digest. */
  readonly name: string | undefined;
  /** Whether the user typed a name, not an id or a digest. */
  readonly isNamed: boolean;
  /** The archive, which is made now. */
  save(signal: AbortSignal | undefined): Promise<Readable>;
}

/**
 * Looks for an image in an engine.
 *
 * @param text such as `docker://app:1`.
 * @param idleMs as `openEngine`.
 * @throws NotFoundError, NetworkError, StorageError, EngineError, UsageError, BadReferenceError
 */
export async function findEngineImage(
  text: string,
  signal: AbortSignal | undefined,
  idleMs?: number,
): Promise<FoundImage> {
  const named = readEngineName(text);
  if (named === undefined) throw new InternalError(`Cannot read ${text}: it names no engine`);
  const { openEngine } = await import("../../engine/open-engine.ts");
  const engine = await openEngine(named.engine, idleMs);
  const image = await engine.find(named.image, signal);
  return {
    engine: await engine.facts(signal),
    name: image.name,
    isNamed: image.isNamed,
    save: async own => await engine.save(image, own),
  };
}

/** For commands that read the images of engines as archives. */
export const ENGINE_INPUT: Pick<OpenArchiveOptions, "engine"> = {
  engine: async (name, signal) => await (await findEngineImage(name, signal)).save(signal),
};
