import { spawn } from "node:child_process";
import { AuthError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import { checkSchema, fields, nullish, string } from "../../util/json/schema.ts";
import { startDeadline } from "../../util/time/deadline.ts";
import { canonicalRegistry, DOCKER_HUB_KEY, parseCredentialKey } from "./credential-key.ts";

export interface HelperAnswer {
  /** `<token>`: the secret is an identity token. */
  readonly username: string;
  readonly secret: string;
}

export interface HelperOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

const MAX_OUTPUT_BYTES = 64 * 1024;
const TIMEOUT_MS = 30_000;
const NOT_FOUND = "credentials not found in native keychain";
const ANSWER = fields({ ServerURL: nullish(string()), Username: string(), Secret: string() });

/** Variables that helpers need to reach their keychains and clouds. Other programs' secrets are not passed (security case A-13). */
const PASSED_ENV =
  /^(PATH|PATHEXT|HOME|HOMEDRIVE|HOMEPATH|USER|USERNAME|USERPROFILE|LOGNAME|LANG|TERM|TMPDIR|TEMP|TMP|SYSTEMROOT|APPDATA|LOCALAPPDATA|PROGRAMDATA|DISPLAY|WAYLAND_DISPLAY|DBUS_SESSION_BUS_ADDRESS|GNUPGHOME|GPG_TTY|DOCKER_CONFIG|NO_PROXY|(LC|XDG|PASSWORD_STORE|AWS|AZURE|CLOUDSDK|GOOGLE)_.*)$/i;
const PROXY_ENV = /^(HTTPS?|ALL)_PROXY$/i;

/**
 * Asks `docker-credential-<name>` for a registry's credentials (docker/docker-credential-helpers protocol); undefined
 * when it has none.
 *
 * @param registry `host` or `host:port`.
 * @throws AuthError when the helper is missing, fails or answers garbage; never a silent anonymous request (case A-15).
 */
export async function askCredentialHelper(
  name: string,
  registry: string,
  options: HelperOptions,
): Promise<HelperAnswer | undefined> {
  const helper = quote(`docker-credential-${name}`);
  const fail = failure(name, registry, "read", "from", "a user name and a secret");
  const { output, exit } = await run(name, "get", serverKey(registry), options, fail);
  if (exit !== 0) {
    if (output.toString("utf8").trim() === NOT_FOUND) return undefined;
    throw fail(`exit status ${exit}`);
  }
  const jsonFault = (): Error => fail("malformed answer");
  const document = parseJson(output, { what: "answer", where: helper, maxBytes: MAX_OUTPUT_BYTES, fail: jsonFault });
  const answer = checkSchema(ANSWER, document, "answer", helper, jsonFault);
  const answered = answer.ServerURL ? parseCredentialKey(answer.ServerURL).registry : canonicalRegistry(registry);
  if (answered !== canonicalRegistry(registry)) throw fail("credentials of another registry");
  if (answer.Secret === "") throw fail("empty secret");
  return { username: answer.Username, secret: answer.Secret };
}

/** Stores a secret with a helper, by its stdin. @throws AuthError when the helper fails. */
export async function storeInHelper(
  name: string,
  registry: string,
  { username, secret }: HelperAnswer,
  options: HelperOptions,
): Promise<void> {
  const fail = failure(name, registry, "store", "in", "exit status 0");
  const entry = JSON.stringify({ ServerURL: serverKey(registry), Username: username, Secret: secret });
  const { exit } = await run(name, "store", entry, options, fail);
  if (exit !== 0) throw fail(`exit status ${exit}`);
}

/** Removes a registry from a helper. @throws AuthError when the helper fails. */
export async function eraseFromHelper(name: string, registry: string, options: HelperOptions): Promise<void> {
  const fail = failure(name, registry, "erase", "from", "exit status 0");
  const { exit } = await run(name, "erase", serverKey(registry), options, fail);
  if (exit !== 0) throw fail(`exit status ${exit}`);
}

/** How docker names a registry to helpers, and in `auths`. */
export function serverKey(registry: string): string {
  return canonicalRegistry(registry) === "index.docker.io" ? DOCKER_HUB_KEY : registry;
}

type Fail = (found: string, cause?: unknown) => AuthError;

function failure(name: string, registry: string, verb: string, preposition: string, expected: string): Fail {
  const helper = quote(`docker-credential-${name}`);
  return (found, cause) =>
    new AuthError(
      `Cannot ${verb} credentials for ${registry} ${preposition} ${helper}: ${found}, expected ${expected}`,
      {
        cause,
        hint: "Fix the credential helper in docker's configuration, or pass --username and --password-stdin.",
      },
    );
}

async function run(
  name: string,
  verb: "get" | "store" | "erase",
  input: string,
  { env, signal, timeoutMs = TIMEOUT_MS }: HelperOptions,
  fail: Fail,
): Promise<{ output: Buffer; exit: number | string }> {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name) || name.includes("..")) throw fail("helper name with other characters");
  signal?.throwIfAborted();
  const child = spawn(`docker-credential-${name}`, [verb], {
    env: passedEnv(env),
    shell: false,
    stdio: ["pipe", "pipe", "ignore"],
    windowsHide: true,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  let stopped: string | undefined;
  const stop = (found: string): void => {
    stopped ??= found;
    child.kill("SIGKILL");
    // A grandchild may keep the pipe open; waiting for its end would defeat the deadline.
    child.stdout.destroy();
  };
  const endWait = startDeadline(timeoutMs, () => stop(`no answer within ${timeoutMs / 1000} seconds`));
  const onAbort = (): void => stop("interrupted");
  signal?.addEventListener("abort", onAbort, { once: true });
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_OUTPUT_BYTES) stop("answer above 64 KiB");
    else chunks.push(chunk);
  });
  // A helper that exits without reading its input is judged by its exit status.
  child.stdin.on("error", () => undefined);
  child.stdin.end(`${input}\n`);
  try {
    const exit = await new Promise<number | string>((resolve, reject) => {
      child.once("error", cause => {
        reject(fail(errorCode(cause) === "ENOENT" ? "no such program" : "program that cannot be started", cause));
      });
      child.once("close", (code, killedBy) => resolve(code ?? killedBy ?? "unknown"));
    });
    signal?.throwIfAborted();
    if (stopped !== undefined) throw fail(stopped);
    return { output: Buffer.concat(chunks), exit };
  } finally {
    endWait();
    signal?.removeEventListener("abort", onAbort);
  }
}

function passedEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isPassed = (name: string, value: string): boolean =>
    PASSED_ENV.test(name) || (PROXY_ENV.test(name) && !value.includes("@"));
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => isPassed(name, value ?? "")));
}
