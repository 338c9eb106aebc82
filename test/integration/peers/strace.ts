import { readFile } from "node:fs/promises";

/** A call of the system, with the places of its beginning and end in the order of events. */
export interface SystemCall {
  readonly name: string;
  /** Paths of file descriptors and names, in the order of the arguments. */
  readonly paths: readonly string[];
  /** Arguments as strace prints them. */
  readonly text: string;
  readonly result: number;
  readonly start: number;
  readonly end: number;
}

const TRACED =
  "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,truncate,ftruncate,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,mkdirat";

/** Words to put in front of a command. @param strings bytes shown of what is written */
export function straceWords(log: string, strings = 4096): readonly string[] {
  // With hexadecimal strings nothing in them looks like the text around them.
  return [
    "strace",
    "-f",
    "-qq",
    "-y",
    "-xx",
    "-s",
    String(strings),
    "-e",
    `trace=${TRACED}`,
    "-e",
    "signal=none",
    "-o",
    log,
  ];
}

/** In the order of their beginnings. */
export async function readCalls(log: string): Promise<readonly SystemCall[]> {
  const calls: SystemCall[] = [];
  const open = new Map<string, { readonly head: string; readonly start: number }>();
  const lines = (await readFile(log, "utf8")).split("\n");
  for (const [place, line] of lines.entries()) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    if (rest.endsWith("<unfinished ...>")) {
      open.set(pid, { head: rest.slice(0, -"<unfinished ...>".length), start: place });
      continue;
    }
    const begun = resumed === null ? undefined : open.get(pid);
    const text = begun === undefined ? rest : begun.head + (resumed?.[1] ?? "");
    const call = /^(\w+)\((.*)\) += (-?\d+)/.exec(text);
    if (call === null) continue;
    const [, name = "", words = "", result] = call;
    calls.push({
      name,
      paths: pathsOf(name, words),
      text: words,
      result: Number(result),
      start: begun?.start ?? place,
      end: place,
    });
  }
  return calls.sort((one, two) => one.start - two.start);
}

/** What a write call was given, as much of it as was shown. */
export function bytesOf({ text }: SystemCall): Buffer {
  const [, hex = ""] = /"((?:\\x[0-9a-f]{2})*)"/.exec(text) ?? [];
  return Buffer.from(hex.replaceAll("\\x", ""), "hex");
}

function pathsOf(name: string, words: string): readonly string[] {
  // What is written is no path.
  const isWrite = name.includes("write");
  return [...words.matchAll(/\b\d+<([^>]*)>|"((?:\\x[0-9a-f]{2})*)"/g)]
    .filter(([, path]) => path !== undefined || !isWrite)
    .map(([, path, hex = ""]) => decoded(path ?? hex));
}

/** Between angle brackets some versions print hexadecimal, too. */
function decoded(text: string): string {
  return text.startsWith("\\x") ? Buffer.from(text.replaceAll("\\x", ""), "hex").toString() : text;
}
