import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { nearestFile } from "../../archive/open/nearest-file.ts";
import { isArchiveStart } from "../../bundle/list/archive-start.ts";
import { decodeText, utf8Bytes } from "../../bundle/list/decode-text.ts";
import { MAX_LOCK_BYTES } from "../../bundle/lock/parse-lock.ts";
import { UsageError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { readBytes, readInputBytes, readRegularFile, startOf } from "../../util/input-file.ts";

/** A list may be a lock. */
const MAX_LIST_BYTES: number = MAX_LOCK_BYTES;
const MAX_ENV_BYTES = 1024 * 1024;
const START_BYTES = 512;

export interface ListInputOptions {
  /** What "-" reads. Default `process.stdin`. */
  readonly stdin?: Readable | undefined;
  /** What pipes have given already, by their paths: nothing can be read from them twice. */
  readonly known?: ReadonlyMap<string, Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of a list in UTF-8, or that it is an archive or a folder.
 *
 * @param path "-" for stdin.
 * @throws UsageError for what cannot be read, or is too large.
 */
export async function readListInput(
  path: string,
  { stdin = process.stdin, known, signal }: ListInputOptions,
): Promise<Uint8Array | "archive"> {
  const given = known?.get(path);
  if (given !== undefined) return given;
  try {
    if (path !== "-") {
      const start = await startOf(path, START_BYTES);
      if (start === "folder" || (start !== "pipe" && isArchiveStart(start))) return "archive";
      const bytes = await readInputBytes(path, MAX_LIST_BYTES, signal);
      if (start !== "pipe" || !isArchiveStart(bytes.subarray(0, START_BYTES))) return utf8Bytes(bytes);
    } else {
      const bytes = await readBytes(stdin, MAX_LIST_BYTES, signal);
      if (!isArchiveStart(bytes.subarray(0, START_BYTES))) return utf8Bytes(bytes);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    const isMissing = errorCode(cause) === "ENOENT";
    const found = cause instanceof RangeError ? cause.message : isMissing ? "no such file" : "no readable file";
    const near = isMissing ? await nearestFile(path) : undefined;
    throw new UsageError(`Cannot read list ${quote(path)}: found ${found}, expected a list`, {
      cause,
      hint: near && `Did you mean ${quote(near)}?`,
    });
  }
  const where = path === "-" ? "on stdin" : "in a pipe";
  throw new UsageError(`Cannot read list ${quote(path)}: found an archive ${where}, expected a list`, {
    hint: "Name the file of the archive.",
  });
}

/** Whether what a path leads to can be read only once: stdin, or the pipe of a shell's `<(...)`. */
export async function isPipe(path: string): Promise<boolean> {
  return path === "-" || (await startOf(path, 0).catch(() => undefined)) === "pipe";
}

/** A compose file chooses which registries its references name: it must not put these into one. */
const SECRETS: ReadonlySet<string> = new Set([
  "IMGPACK_USERNAME",
  "IMGPACK_PASSWORD",
  "IMGPACK_TOKEN",
  "IMGPACK_KEY_PASSPHRASE",
  "IMGPACK_SIGN_PASSPHRASE",
  "DOCKER_AUTH_CONFIG",
]);

/**
 * Variables of a compose file: those of the environment without credentials of registries, and of a `.env` file in its folder.
 *
 * @param path "-" for stdin, which has the current folder.
 */
export async function composeVariables(
  path: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const outer = new Map(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || SECRETS.has(name) ? [] : [[name, value]],
    ),
  );
  const file = join(path === "-" ? "." : dirname(path), ".env");
  const bytes = await readRegularFile(file, MAX_ENV_BYTES).catch(() => undefined);
  signal?.throwIfAborted();
  if (bytes === undefined || typeof bytes === "string") return outer;
  const { parseEnvFile } = await import("../../bundle/list/yaml/interpolate.ts");
  return parseEnvFile(decodeText(bytes), outer);
}
