import { UsageError } from "../../errors.ts";
import { findCredentials } from "./find-credentials.ts";
import { type StoreOptions, storeCredentials } from "./store-credentials.ts";

/** A user name and its password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Where a login was stored. */
export interface StoredLogin {
  readonly username: string;
  /** Path of the configuration file. */
  readonly file: string;
  /** Credential helper that stores the password. Absent: the password is in `file`, unencrypted. */
  readonly helper?: string;
  /** Source of other credentials for this registry that take precedence over these. */
  readonly shadowedBy?: string;
}

/** @param where names the registry in messages. @throws UsageError for what Basic authentication cannot send. */
export function checkLoginWords({ username, password }: Login, where: string): void {
  if (username !== "" && password !== "" && !/[:\p{Cc}]/u.test(username)) return;
  const bad = username.includes(":") ? "a user name with a colon" : "a user name with a control character";
  const found = password === "" ? "no password" : username === "" ? "no user name" : bad;
  throw new UsageError(`Cannot log in to ${where}: ${found} given, expected a user name and a password`);
}

/** Stores a login, and looks whether another one hides it. @throws as `storeCredentials` */
export async function storeLogin(registry: string, login: Login, options: StoreOptions): Promise<StoredLogin> {
  const { username, password } = login;
  const { file, helper } = await storeCredentials(registry, login, options);
  const found = await findCredentials(registry, options);
  const isShadowed = found !== undefined && (found.username !== username || found.password !== password);
  return {
    username,
    file,
    ...(helper === undefined ? {} : { helper }),
    ...(isShadowed ? { shadowedBy: found.source } : {}),
  };
}
