import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";
import { type CacheEntry, codeCacheEntry, readCodeCache } from "./code-cache-file.ts";

/** What the function in program.cjs exports. */
export interface Program {
  run(words: readonly string[]): Promise<void>;
  keepCodeCache(toKeep: CodeToKeep): Promise<void>;
}

/** Compiled code that no file holds yet. */
export interface CodeToKeep {
  readonly entry: CacheEntry;
  /** Text of the program, and the SHA-256 of it that the build noted. */
  readonly text: string;
  readonly hash: string;
  /** Everything that was compiled so far. */
  readonly compiled: () => Buffer;
}

/**
 * Loads program.cjs, with what V8 compiled of it in an earlier run of the same command.
 *
 * @param hash of program.cjs, as the build noted it: SHA-256 in hexadecimal.
 * @returns the program; also the compiled code, if it is worth keeping for later runs.
 * @throws errors of the system, and of the program.
 */
export function loadProgram(
  folder: string,
  words: readonly string[],
  hash: string,
): { readonly program: Program; readonly toKeep: CodeToKeep | undefined } {
  const path = join(folder, "program.cjs");
  const { text, mtimeMs } = readText(path);
  const entry = codeCacheEntry(words, { hash, mtimeMs });
  const cached = entry === undefined ? undefined : readCodeCache(entry);
  const script = new Script(text, {
    filename: path,
    // Left out when absent: the option may not be undefined.
    ...(cached === undefined ? {} : { cachedData: cached.code }),
  });
  const module = { exports: {} };
  const body = script.runInThisContext() as (...words: readonly unknown[]) => void;
  body(module.exports, createRequire(path), module, path, folder);
  const isUsed = cached?.isStale === false && script.cachedDataRejected !== true;
  const toKeep =
    entry === undefined || isUsed ? undefined : { entry, text, hash, compiled: () => script.createCachedData() };
  return { program: module.exports as Program, toKeep };
}

/** The build writes ASCII only, which Node reads fastest as Latin-1. */
function readText(path: string): { readonly text: string; readonly mtimeMs: number } {
  const file = openSync(path, "r");
  try {
    return { text: readFileSync(file, "latin1"), mtimeMs: fstatSync(file).mtimeMs };
  } finally {
    closeSync(file);
  }
}
