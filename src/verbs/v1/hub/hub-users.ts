import { UsageError } from "../../../errors.ts";
import { createUser as create, updateUser as update } from "../../../registry/v1/hub/hub-users.ts";
import { quote } from "../../../util/format.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withV1Client } from "../with-v1-client.ts";
import { indexHost } from "./hub-connection.ts";

export interface HubUserResult {
  /** `v1://HOST` */
  readonly index: string;
  readonly username: string;
}

interface UserOptions extends RemoteOptions {
  /** `v1://HOST[:PORT]`; default v1://index.docker.io. */
  readonly host?: string | undefined;
}

export interface CreateUserOptions extends UserOptions {
  readonly password: string;
  readonly email: string;
}

export interface UpdateUserOptions extends UserOptions {
  /** Replaces the old one. */
  readonly password?: string | undefined;
  /** Is added to the account. */
  readonly email?: string | undefined;
}

const MIN_PASSWORD = 5;
const MAX_TEXT = 254;

/**
 * Creates an account at an index. No credentials are sent.
 *
 * @throws UsageError for a name, password or address that the API does not allow; RegistryError if the index refuses it.
 */
export async function createUser(username: string, options: CreateUserOptions): Promise<HubUserResult> {
  const { password, email, signal } = options;
  const host = indexHost(options.host);
  checkUser("create", username, password, email);
  await withV1Client(host, options, async client => await create(client, { username, password, email }, signal));
  return { index: `v1://${host}`, username };
}

/** Changes an account, as the user whose credentials are stored for the index. @throws as `createUser` */
export async function updateUser(username: string, options: UpdateUserOptions): Promise<HubUserResult> {
  const { password, email, signal } = options;
  const host = indexHost(options.host);
  if (password === undefined && email === undefined) {
    throw new UsageError(`Cannot update user ${quote(username)}: nothing given, expected a password or an address`);
  }
  checkUser("update", username, password, email);
  await withV1Client(host, options, async client => await update(client, { username, password, email }, signal));
  return { index: `v1://${host}`, username };
}

/** The limits that the Hub documented, before anything is sent. The name becomes part of a path. */
function checkUser(verb: string, username: string, password: string | undefined, email: string | undefined): void {
  const refused = (what: string, found: string, expected: string): UsageError =>
    new UsageError(`Cannot ${verb} user ${quote(username)}: found ${what} ${found}, expected ${expected}`);
  if (!/^[a-z0-9_]{4,30}$/.test(username))
    throw refused("a user name", "of another kind", "4 to 30 characters of [a-z0-9_]");
  if (password !== undefined && (password.length < MIN_PASSWORD || /[\p{Cc}]/u.test(password))) {
    const found = password.length < MIN_PASSWORD ? `of ${password.length} characters` : "with a control character";
    throw refused("a password", found, `one line of at least ${MIN_PASSWORD}`);
  }
  if (email !== undefined && (email.length > MAX_TEXT || !/^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email))) {
    throw refused("the mail address", quote(email), "one like name@host");
  }
}
