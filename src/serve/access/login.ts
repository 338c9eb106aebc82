import type { IncomingMessage } from "node:http";
import { Refusal } from "../refusal.ts";
import type { PasswordCheck } from "./password-check.ts";

const CHALLENGE = 'Basic realm="imgpack"';

/**
 * Checks the login of a request (RFC 7617).
 *
 * @returns the name of the user.
 * @throws Refusal 401 without the right name and password, 429 if too many passwords wait to be checked.
 */
export async function requireLogin({ headers, socket }: IncomingMessage, check: PasswordCheck): Promise<string> {
  if (headers.authorization === undefined) throw unauthorized("a login is needed");
  const credentials = basicCredentials(headers.authorization);
  if (credentials === undefined) throw unauthorized("the login is malformed, expected Basic");
  const { user, password } = credentials;
  const outcome = await check.check(user, password, socket);
  if (outcome === true) return user;
  if (outcome === false) throw unauthorized("the name or the password is wrong");
  throw new Refusal(429, "TOOMANYREQUESTS", "too many passwords of this address wait to be checked", {
    headers: { "retry-after": "1", connection: "close" },
  });
}

function basicCredentials(header: string): { readonly user: string; readonly password: string } | undefined {
  const [, encoded = ""] = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header) ?? [];
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const mark = text.indexOf(":");
  // RFC 7617 forbids control characters, and bcrypt would end at a NUL.
  if (mark < 0 || /\p{Cc}/u.test(text)) return undefined;
  return { user: text.slice(0, mark), password: text.slice(mark + 1) };
}

function unauthorized(message: string): Refusal {
  return new Refusal(401, "UNAUTHORIZED", message, { headers: { "www-authenticate": CHALLENGE } });
}
