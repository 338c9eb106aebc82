import { AuthError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { readRegularFile } from "../../util/input-file.ts";
import { parseJson } from "../../util/json/json.ts";
import { checkSchema, fields, freeMap, nullish, type Schema, string } from "../../util/json/schema.ts";
import { stat } from "../../util/read-disk.ts";
import { keyMatch } from "./credential-key.ts";

/** One entry of `auths`; an entry without content only marks that a helper holds the secret. */
interface AuthEntry {
  readonly username: string;
  readonly password: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** The credential parts of docker's config.json and of podman's auth.json. */
export interface DockerConfig {
  readonly file: string;
  /** Entry with content for this registry, the longest matching namespace first. */
  findAuth(registry: string, repository: string): AuthEntry | undefined;
  /** Name of the helper that is configured for exactly this registry. */
  findHelper(registry: string): string | undefined;
  readonly defaultHelper: string | undefined;
  /** What entries and helpers are named for, as it is written there. */
  readonly keys: readonly string[];
}

const MAX_CONFIG_BYTES = 1024 * 1024;

const text: Schema<string | null | undefined> = nullish(string());
const AUTH_ENTRY = fields({ auth: text, username: text, password: text, identitytoken: text, registrytoken: text });
const CONFIG = fields({
  auths: nullish(freeMap(nullish(AUTH_ENTRY))),
  credHelpers: nullish(freeMap(string())),
  credsStore: text,
});

const OLD_CONFIG: Schema<ReadonlyMap<string, RawEntry | null | undefined>> = freeMap(nullish(AUTH_ENTRY));

/**
 * Reads a credentials file; undefined when there is none. Messages give positions, never content (security case A-16).
 *
 * @throws AuthError when the file cannot be read or is not what docker or podman write.
 */
export async function readDockerConfig(file: string): Promise<DockerConfig | undefined> {
  const bytes = await readConfigFile(file);
  return bytes === undefined ? undefined : parseDockerConfig(bytes, file);
}

/** @param file its name, or that of the variable that holds it, for messages. */
export function parseDockerConfig(bytes: Uint8Array, file: string): DockerConfig {
  const { auths, credHelpers, credsStore } = checkSchema(CONFIG, parse(bytes, file), "credentials", quote(file), fail);
  return {
    file,
    findAuth: (registry, repository) => bestMatch(auths ?? new Map(), registry, repository, toAuthEntry),
    findHelper: registry => bestMatch(credHelpers ?? new Map(), registry, "", name => name || undefined),
    defaultHelper: credsStore || undefined,
    keys: [...(auths?.keys() ?? []), ...(credHelpers?.keys() ?? [])],
  };
}

/** `~/.dockercfg`, docker's format until 2015: the content of `auths` at the top level. Keys are registries, never namespaces. */
export async function readDockercfg(file: string): Promise<DockerConfig | undefined> {
  const bytes = await readConfigFile(file);
  if (bytes === undefined) return undefined;
  const auths = checkSchema(OLD_CONFIG, parse(bytes, file), "credentials", quote(file), fail);
  return {
    file,
    findAuth: registry => bestMatch(auths, registry, "", toAuthEntry),
    findHelper: () => undefined,
    defaultHelper: undefined,
    keys: [...auths.keys()],
  };
}

function parse(bytes: Uint8Array, file: string): unknown {
  return parseJson(bytes, { what: "credentials", where: quote(file), maxBytes: MAX_CONFIG_BYTES, fail });
}

function fail(_reason: string, message: string): Error {
  return new AuthError(message, { hint: "Fix or remove the file." });
}

/** The bytes of a credentials file; undefined when there is none, or it is empty. */
export async function readConfigFile(file: string): Promise<Uint8Array | undefined> {
  const bytes = await readSmallFile(file);
  // Docker leaves an empty file when the disk is full, and reads it as an empty configuration.
  return bytes === undefined || bytes.length === 0 ? undefined : bytes;
}

async function readSmallFile(file: string): Promise<Uint8Array | undefined> {
  try {
    // Only for its errors: `open` does not say whether the folder or the file is closed.
    await stat(file);
    const found = await readRegularFile(file, MAX_CONFIG_BYTES);
    if (typeof found !== "string") return found;
  } catch (cause) {
    const code = errorCode(cause);
    const isFolderClosed =
      code === "EACCES" && cause instanceof Error && "syscall" in cause && cause.syscall === "stat";
    // A folder without access contains nothing for this user: /run/containers belongs to root.
    if (code === "ENOENT" || code === "ENOTDIR" || isFolderClosed) return undefined;
    const state = code === "EACCES" || code === "EPERM" ? "no permission" : "unreadable";
    throw new AuthError(`Cannot read credentials from ${quote(file)}: ${state}, expected a readable file`, { cause });
  }
  throw new AuthError(`Cannot read credentials from ${quote(file)}: not a regular file, expected a file up to 1 MiB`);
}

type RawEntry = {
  readonly [name in "auth" | "username" | "password" | "identitytoken" | "registrytoken"]?: string | null | undefined;
};

function toAuthEntry(entry: RawEntry | null | undefined): AuthEntry | undefined {
  const pair = decodePair(entry?.auth ?? "");
  const username = pair?.username ?? entry?.username ?? "";
  const password = pair?.password ?? entry?.password ?? "";
  const identityToken = entry?.identitytoken ?? "";
  const registryToken = entry?.registrytoken ?? "";
  if (isHeaderText(registryToken)) return { username, password, registryToken };
  if (identityToken !== "") return { username, password, identityToken };
  return username === "" || password === "" ? undefined : { username, password };
}

/** A token is copied into a header (security case A-14); other text is no token. */
function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** base64 of `user:password`; docker on Windows pads the password with NUL. */
function decodePair(encoded: string): { username: string; password: string } | undefined {
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon === -1) return undefined;
  return { username: decoded.slice(0, colon), password: trimNuls(decoded.slice(colon + 1)) };
}

function trimNuls(password: string): string {
  let end = password.length;
  while (end > 0 && password.charCodeAt(end - 1) === 0) end -= 1;
  return password.slice(0, end);
}

/** The longest namespace wins, then the key that is spelled like the registry, then the order of the file. */
function bestMatch<T, R>(
  entries: ReadonlyMap<string, T>,
  registry: string,
  repository: string,
  read: (value: T) => R | undefined,
): R | undefined {
  const matches: { value: R; depth: number }[] = [];
  for (const [key, value] of entries) {
    const length = keyMatch(key, registry, repository);
    const content = length === undefined ? undefined : read(value);
    if (length === undefined || content === undefined) continue;
    matches.push({ value: content, depth: length * 2 + (key === registry ? 1 : 0) });
  }
  return matches.toSorted((a, b) => b.depth - a.depth)[0]?.value;
}
