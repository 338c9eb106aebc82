import { createHash } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SHELL_COMMAND } from "../command.ts";

export interface Release {
  /** In place of https://github.com. */
  readonly server: string;
  /** The "executable" on disk: it starts the command that the tests start, and notes its own words in `words`. */
  readonly executable: string;
  readonly sha256: string;
  readonly words: string;
  close(): Promise<void>;
}

/** A server with one release of an "executable", as the release of a repository has it. */
export async function startRelease(folder: string, repository: string, version: string): Promise<Release> {
  const executable = join(folder, "imgpack-executable");
  const words = join(folder, "words");
  // The environment of the process, too: a secret must be in neither.
  const note = `{ printf '%s\\n' "$@"; env; } >>'${words}'`;
  await writeFile(executable, `#!/bin/sh\n${note}\nexec ${SHELL_COMMAND} "$@"\n`);
  await chmod(executable, 0o755);
  const bytes = await readFile(executable);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const name = `imgpack-linux-${process.arch}`;
  const base = `/${repository}/releases/download/v${version}`;
  const files = new Map<string, string | Buffer>([
    [`${base}/${name}`, bytes],
    [`${base}/SHA256SUMS`, `${"0".repeat(64)}  ${name}-musl\n${sha256}  ${name}\n`],
  ]);
  const server = createServer((request, response) => {
    const body = files.get(request.url ?? "");
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    executable,
    sha256,
    words,
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** Each would make a file, or end a line, if a shell read it as code. */
export const HOSTILE_TEXTS: readonly string[] = [
  "a/b:1; touch evil",
  "$(touch evil)",
  "`touch evil`",
  "a'$(touch evil)'b",
  '"; touch evil; "',
  "a\\b $HOME * & | < > # 100%",
];

/** An "executable" that prints its words and its stdin, each on a line. */
export async function writeEcho(folder: string): Promise<string> {
  const path = join(folder, "echo-executable");
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$@"\nprintf 'stdin '; cat; echo\n`, { mode: 0o755 });
  return path;
}
