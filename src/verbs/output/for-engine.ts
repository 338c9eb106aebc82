import type { LoadedEngine } from "../engines/engine-output.ts";
import type { Loader } from "../options/choices.ts";
import type { OpenedOutput } from "./open-output.ts";

/** Options for what an engine as the output loads, unless `for` names another loader. */
export function forEngine<T extends { readonly for?: Loader | undefined }>(options: T, { engine }: OpenedOutput): T {
  return engine === undefined ? options : { ...options, for: options.for ?? engine.loader };
}

/** For results. */
export function loadedBy({ engine }: OpenedOutput): { readonly engine?: LoadedEngine } {
  const loaded = engine?.loaded();
  return loaded === undefined ? {} : { engine: loaded };
}
