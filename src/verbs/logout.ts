import { registryUrl } from "../registry/client/connect-registry.ts";
import { findCredentials } from "../registry/credentials/find-credentials.ts";
import { eraseCredentials } from "../registry/credentials/store-credentials.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { ENVIRONMENT, TEXT } from "../util/options/option-kinds.ts";
import { COMMON } from "./options/common-options.ts";
import { checkText } from "./options/option-values.ts";

/** Options of `logout`. */
export interface LogoutOptions {
  /** Replaces the environment of the process, which says where credentials are stored. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Replaces the home folder of the user. */
  readonly home?: string | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const LOGOUT_OPTIONS: OptionsShape<LogoutOptions> = { env: ENVIRONMENT, home: TEXT, signal: COMMON.signal };

/** What `logout` erased. */
export interface LogoutResult {
  readonly registry: string;
  /** False if there was nothing to erase. */
  readonly isErased: boolean;
  /** Path of the configuration file that was changed. */
  readonly file?: string;
  /** Credential helper that erased the password. */
  readonly helper?: string;
  /** Source in which credentials for this registry are still found. */
  readonly remainsIn?: string;
}

/**
 * Erases what `login` or `docker login` stored for a registry.
 *
 * @param registry `host[:port]`, `docker.io` for Docker Hub.
 * @throws UsageError for a text that is no registry; AuthError if a configured helper fails; StorageError.
 * @example
 * ```ts
 * import { logout } from "imgpack";
 *
 * const { isErased } = await logout("registry.lan:5000");
 * console.log(isErased);
 * ```
 */
export async function logout(registry: string, options: LogoutOptions = {}): Promise<LogoutResult> {
  checkText("log out", "a registry", registry);
  options = checkedOptions(options, LOGOUT_OPTIONS);
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
