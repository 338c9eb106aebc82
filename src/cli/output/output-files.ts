import type { Stats } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { realpath, stat } from "../../util/read-disk.ts";

/** Flags and arguments that name the archive that a command writes. */
const OUTPUTS = ["output", "repair"] as const;
/** Flags and arguments that name files that a command reads. */
const INPUTS = ["archives", "archive", "input", "rootfs", "from-file", "ca-file", "cert-file", "key-file"] as const;

/** What a run writes next to an output, until it is complete. */
const UNFINISHED = ["", ".partial", ".partial.journal", ".partial.lock"] as const;

/**
 * @throws UsageError if an output of the command line is one of its inputs, or in it, also by another name or through a
 * link; or if two outputs are in each other's way.
 */
export async function checkOutputs(flags: Readonly<Record<string, unknown>>): Promise<void> {
  const inputs = INPUTS.flatMap(input => pathsOf(flags[input]));
  const outputs = OUTPUTS.flatMap(name => pathsOf(flags[name]));
  const lists = pathsOf(flags["failed-list"]);
  for (const output of [...outputs, ...lists]) await checkOutput(output, inputs);
  for (const list of lists) for (const output of outputs) await checkApart(list, output);
}

/** @throws UsageError if the output is one of the inputs, or in one that is a folder. */
export async function checkOutput(output: string, inputs: readonly string[]): Promise<void> {
  const written = await found(output);
  const place = await locationOf(output);
  for (const input of inputs) {
    const read = await found(input);
    if (read === undefined) continue;
    const location = await locationOf(input);
    const isSame = read.ino === written?.ino && read.dev === written.dev;
    if (isSame || UNFINISHED.some(ending => place + ending === location)) {
      throw refused(output, `it is the input ${quote(input)}, expected another file`);
    }
    if (read.isDirectory() && place.startsWith(location + sep)) {
      throw refused(output, `it is in the input ${quote(input)}, expected a path outside of it`);
    }
  }
}

async function checkApart(list: string, output: string): Promise<void> {
  const [place, location] = [await locationOf(list), await locationOf(output)];
  if (!UNFINISHED.some(ending => place === location + ending) && !place.startsWith(location + sep)) return;
  throw refused(list, `the run writes its output ${quote(output)} there, expected another file`);
}

function refused(output: string, state: string): UsageError {
  return new UsageError(`Cannot write ${quote(output)}: ${state}`, { hint: "Choose another output name." });
}

/** The path without links, also of a file that is not there yet. */
async function locationOf(path: string): Promise<string> {
  const whole = await realpath(path).catch(() => undefined);
  if (whole !== undefined) return whole;
  const folder = await realpath(dirname(path)).catch(() => undefined);
  return join(folder ?? resolve(dirname(path)), basename(path));
}

function pathsOf(value: unknown): readonly string[] {
  return [value].flat().filter((path): path is string => typeof path === "string" && path !== "-");
}

/** Devices may be both. */
async function found(path: string): Promise<Stats | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true || stats?.isDirectory() === true ? stats : undefined;
}
