import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, vi } from "vitest";
import { main } from "../../src/cli/main.ts";
import { expectJsonOutput } from "./json-schemas.ts";

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process. What it prints with `--json` must be as schemas/ have it. */
export async function runCommand(...words: readonly string[]): Promise<Outcome> {
  const stdout = capture();
  const stderr = capture();
  const exitCode = await main(words, { stdout: stdout.stream, stderr: stderr.stream });
  const outcome = { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  if (words.includes("--json") && !words.includes("--help")) expectJsonOutput(words, outcome.stdout);
  return outcome;
}

function capture(): { readonly stream: Writable; text(): string } {
  const parts: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, onDone) {
      parts.push(chunk.toString("utf8"));
      onDone();
    },
  });
  return { stream, text: () => parts.join("") };
}

/** A folder for all that imgpack keeps or looks up outside its arguments, until the tests of a file have ended. */
export function ownEnvironment(): string {
  const folder = mkdtempSync(join(tmpdir(), "imgpack-home-"));
  for (const name of ["IMGPACK_CACHE_DIR", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"]) {
    vi.stubEnv(name, join(folder, name));
  }
  vi.stubEnv("REGISTRY_AUTH_FILE", "");
  vi.stubEnv("IMGPACK_REGISTRY", "");
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Message and hint, which end stderr. `path` stands as PATH. */
export function said({ stderr }: Outcome, path = ""): readonly string[] {
  const lines = stderr.trimEnd().split("\n");
  const start = lines.findLastIndex(line => line.startsWith("Cannot "));
  return lines.slice(start).map(line => (path === "" ? line : line.replaceAll(path, "PATH")));
}
