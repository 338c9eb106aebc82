import { RegistryError } from "../../../errors.ts";
import { headerText } from "../../http/headers.ts";
import { originOf, parseLocation } from "../../origin/origin.ts";
import type { V1Answer, V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import { askFor, askIndex } from "./hub-answer.ts";

export interface HubUser {
  readonly username: string;
  readonly password: string;
  readonly email: string;
}

const REDIRECTS: readonly number[] = [301, 302, 307, 308];
const JSON_HEADERS = { "content-type": "application/json", accept: "application/json" };

/**
 * Logs in with the credentials of the client: `GET /v1/users`.
 *
 * @returns false if the index answers without a login as well, so that nothing has checked the password.
 * @throws AuthError, NetworkError; RegistryError if no index answers.
 */
export async function checkUser(client: V1Client, signal?: AbortSignal): Promise<boolean> {
  const call = { verb: "log in", what: "", method: "GET", path: "users", signal } as const;
  return await askIndex(call, client.registry, async () => {
    await client.call({ ...call, accept: [200] });
    const anonymous = await client.call({ ...call, accept: [200, 401, 403], isAnonymous: true });
    return anonymous.status !== 200;
  });
}

/** `POST /v1/users`. @throws RegistryError for an account that the index does not accept, or if no index answers. */
export async function createUser(
  client: V1Client,
  { username, password, email }: HubUser,
  signal?: AbortSignal,
): Promise<void> {
  const call = {
    verb: "create",
    what: `user ${username}`,
    method: "POST",
    headers: JSON_HEADERS,
    body: () => Buffer.from(JSON.stringify({ username, password, email })),
    isAnonymous: true,
    // An account that is created twice is refused the second time.
    isTriedOnce: true,
    secrets: [password],
    signal,
  } as const;
  await askIndex(call, client.registry, async () => {
    const answer = await client.call({ ...call, path: "users", accept: [201, ...REDIRECTS] });
    if (!REDIRECTS.includes(answer.status)) return;
    checkRedirect(client, call, answer);
    await client.call({ ...call, path: "users/", accept: [201] });
  });
}

/** `PUT /v1/users/NAME/`. An address is added to the account, a password replaces the old one. */
export async function updateUser(
  client: V1Client,
  {
    username,
    password,
    email,
  }: Pick<HubUser, "username"> & { readonly [name in "password" | "email"]: string | undefined },
  signal?: AbortSignal,
): Promise<void> {
  const call = {
    verb: "update",
    what: `user ${username}`,
    method: "PUT",
    path: `users/${username}/`,
    headers: JSON_HEADERS,
    body: () => Buffer.from(JSON.stringify({ password, email })),
    accept: [200, 204],
    secrets: password === undefined ? [] : [password],
    signal,
  } as const;
  await askFor(client, signal, async () => await client.call(call));
}

/**
 * docker-registry redirects `/v1/users` to `/v1/users/`, for POST, too. Nothing else is followed: the request has a
 * password in it.
 *
 * @throws RegistryError
 */
function checkRedirect(client: V1Client, { verb, what }: Pick<V1Call, "verb" | "what">, answer: V1Answer): void {
  const own = client.urlOf("users/");
  const url = parseLocation(headerText(answer.headers, "location") ?? "", client.urlOf("users"), answer.status);
  if (originOf(url) === originOf(own) && url.pathname === own.pathname && url.search === "") return;
  throw new RegistryError(
    `Cannot ${verb} ${what} at ${client.registry}: redirected to another address, expected ${own.pathname} at the same origin`,
    { status: answer.status, hint: "The account was not sent there. If you trust that host, name it." },
  );
}
