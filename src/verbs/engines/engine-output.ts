import type { ArchiveContentsOptions } from "../../archive/write/archive-contents.ts";
import { archiveStreamTarget } from "../../archive/write/archive-stream-target.ts";
import type { ImageTarget, TargetSession } from "../../content/contracts.ts";
import type { Engine, EngineLoad, UsedEngine } from "../../engine/engine.ts";
import { InternalError, UsageError } from "../../errors.ts";
import { readEngineName } from "../../oci/names/engine-name.ts";
import { quote } from "../../util/format.ts";
import type { Loader } from "../options/choices.ts";

/** The engine that images were loaded into. */
export interface LoadedEngine extends UsedEngine {
  /** Names of the images, or ids of those without a name, as the engine reports them. Foreign text. */
  readonly loaded: readonly string[];
}

/** An engine as the output of a command. */
export interface EngineOutput {
  /** What its version loads. */
  readonly loader: Loader;
  target(options: ArchiveContentsOptions): ImageTarget;
  /** Undefined before the images are loaded, as in a dry run. */
  loaded(): LoadedEngine | undefined;
}

const FIRST_DOCKER_WITH_ZSTD = 23;

/**
 * Opens `docker://`, `podman://` or `containerd://` for images.
 *
 * @param idleMs as `openEngine`.
 * @throws UsageError for a name after it; NetworkError, StorageError if the engine cannot be reached.
 */
export async function openEngineOutput(
  text: string,
  signal: AbortSignal | undefined,
  idleMs?: number,
): Promise<EngineOutput> {
  const named = readEngineName(text);
  if (named === undefined) throw new InternalError(`Cannot write ${text}: it names no engine`);
  if (named.image !== "") {
    throw new UsageError(`Cannot write ${quote(text)}: found a name after ${named.engine}://, expected it alone`, {
      hint: `Images keep their names. Load the image first, then name it again: ${named.engine === "containerd" ? "ctr images" : named.engine} tag.`,
    });
  }
  const { openEngine } = await import("../../engine/open-engine.ts");
  const engine = await openEngine(named.engine, idleMs);
  const used = await engine.facts(signal);
  let loaded: readonly string[] | undefined;
  return {
    loader: loaderOf(used),
    target: options => engineTarget(engine, options, names => (loaded = names)),
    loaded: () => (loaded === undefined ? undefined : { ...used, loaded }),
  };
}

function loaderOf({ kind, version }: UsedEngine): Loader {
  if (kind === "containerd") return "ctr";
  if (kind === "podman") return "podman";
  return Number.parseInt(version, 10) < FIRST_DOCKER_WITH_ZSTD ? "docker20" : "docker";
}

/** Sends the archive to the engine while it is made. Without its end, the engine has nothing. */
function engineTarget(
  engine: Engine,
  options: ArchiveContentsOptions,
  onLoaded: (names: readonly string[]) => void,
): ImageTarget {
  return {
    async begin(plan, signal) {
      const load = await engine.load(signal);
      try {
        const session = await archiveStreamTarget(load.body, options).begin(plan, signal);
        return loadingSession(session, load, onLoaded);
      } catch (error) {
        await load[Symbol.asyncDispose]();
        throw error;
      }
    },
  };
}

function loadingSession(
  session: TargetSession,
  load: EngineLoad,
  onLoaded: (names: readonly string[]) => void,
): TargetSession {
  return {
    order: session.order,
    has: async (descriptor, signal) => await session.has(descriptor, signal),
    put: async (descriptor, blob, signal) => await session.put(descriptor, blob, signal),
    async commit(roots, signal) {
      await session.commit(roots, signal);
      onLoaded((await load.finish(signal)) ?? roots.flatMap(({ names }) => names));
    },
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await load[Symbol.asyncDispose]();
    },
  };
}
