import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { isArchiveStart } from "../../bundle/list/archive-start.ts";
import { decodeText, utf8Bytes } from "../../bundle/list/decode-text.ts";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { readBytes, readInputBytes, startOf } from "../../util/input-file.ts";

const MAX_LIST_BYTES = 100 * 1024 * 1024;
const MAX_ENV_BYTES = 1024 * 1024;
const START_BYTES = 512;

export interface ListInputOptions {
  /** What "-" reads. Default `process.stdin`. */
  readonly stdin?: Readable | undefined;
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
  { stdin = process.stdin, signal }: ListInputOptions,
): Promise<Uint8Array | "archive"> {
  try {
    if (path !== "-") {
      const start = await startOf(path, START_BYTES);
      if (start === "folder" || (start !== "pipe" && isArchiveStart(start))) return "archive";
      return utf8Bytes(await readInputBytes(path, MAX_LIST_BYTES, signal));
    }
    const bytes = await readBytes(stdin, MAX_LIST_BYTES, signal);
    if (!isArchiveStart(bytes.subarray(0, START_BYTES))) return utf8Bytes(bytes);
  } catch (cause) {
    signal?.throwIfAborted();
    const found = cause instanceof RangeError ? cause.message : "no readable file";
    throw new UsageError(`Cannot read list ${quote(path)}: found ${found}, expected a list`, { cause });
  }
  throw new UsageError(`Cannot read list "-": found an archive on stdin, expected a list`, {
    hint: "Name the file of the archive.",
  });
}

/**
 * Variables of a compose file: those of the environment, and of a `.env` file in its folder.
 *
 * @param path "-" for stdin, which has the current folder.
 */
export async function composeVariables(
  path: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const outer = new Map(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const file = join(path === "-" ? "." : dirname(path), ".env");
  const bytes = await readInputBytes(file, MAX_ENV_BYTES, signal).catch(() => undefined);
  signal?.throwIfAborted();
  if (bytes === undefined) return outer;
  const { parseEnvFile } = await import("../../bundle/list/yaml/interpolate.ts");
  return parseEnvFile(decodeText(bytes), outer);
}
