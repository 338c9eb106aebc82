import { registryUrl } from "../registry/client/connect-registry.ts";
import { findCredentials } from "../registry/credentials/find-credentials.ts";
import { eraseCredentials } from "../registry/credentials/store-credentials.ts";

export interface LogoutOptions {
  /** Stands for the process's own. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly home?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LogoutResult {
  readonly registry: string;
  /** False: there was nothing to erase. */
  readonly isErased: boolean;
  /** Configuration file that was changed. */
  readonly file?: string;
  readonly helper?: string;
  /** Where credentials for this registry are found still. */
  readonly remainsIn?: string;
}

/**
 * Erases what `login` or `docker login` kept for a registry.
 *
 * @throws UsageError for a text that is no registry; AuthError when a configured helper fails.
 */
export async function logout(registry: string, options: LogoutOptions = {}): Promise<LogoutResult> {
  registryUrl(registry, {});
  const erased = await eraseCredentials(registry, options);
  const remaining = await findCredentials(registry, options);
  return {
    registry,
    isErased: erased !== undefined,
    ...(erased === undefined ? {} : { file: erased.file }),
    ...(erased?.helper === undefined ? {} : { helper: erased.helper }),
    ...(remaining === undefined ? {} : { remainsIn: remaining.source }),
  };
}
