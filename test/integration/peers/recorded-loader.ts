import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "./goldens.ts";
import { run } from "./run.ts";

/** Answers by program and version, then by SHA-256 of the archive and question. */
type Records = Record<string, Record<string, unknown>>;

const RECORDS = "recorded-loads.json";
const isRecording = process.env["IMGPACK_RECORD_LOADS"] === "1";
const isThorough = isRecording || process.env["IMGPACK_THOROUGH"] === "1";

/** Paths in messages, which are others each time. */
const TEMPORARY = /(\/tmp\/)[^\s"\\:]+/g;

/** The programs that say which version of a loader is installed. */
const PROGRAMS = { docker: "dockerd", podman: "podman", containerd: "containerd", skopeo: "skopeo" } as const;

/**
 * A loader that is started for archives that it has not seen. What it does with an archive depends on the bytes of the
 * archive and on its own version alone, and `fixtures/recorded-loads.json` has the answers of real loaders. Other bytes,
 * another version, another architecture, or IMGPACK_THOROUGH=1: the loader itself is asked. `npm run record:loads` makes
 * the record again, from the loaders of this machine.
 */
export class RecordedLoader<Peer extends { close(): Promise<void> }> {
  /** As its program prints it, without the revision of the package: `20.10.24+dfsg1`. */
  readonly version: string;
  readonly #program: string;
  readonly #start: () => Promise<Peer>;
  readonly #known: Map<string, unknown>;
  readonly #asked = new Map<string, unknown>();
  #peer: Promise<Peer> | undefined;

  private constructor(program: string, version: string, start: () => Promise<Peer>) {
    this.version = version;
    this.#program = program;
    this.#start = start;
    this.#known = new Map(isThorough ? [] : Object.entries(readRecords()[program] ?? {}));
  }

  static async create<Started extends { close(): Promise<void> }>(
    name: keyof typeof PROGRAMS,
    start: () => Promise<Started>,
  ): Promise<RecordedLoader<Started>> {
    const { stdout } = await run(PROGRAMS[name], ["--version"]);
    const version = /\s(\d+\.\d+\.[^\s,]+)/.exec(stdout)?.[1];
    if (version === undefined) throw new Error(`Cannot read the version of ${name}: ${stdout}`);
    return new RecordedLoader(`${name} ${version} ${process.arch}`, version, start);
  }

  /**
   * @param archive file or folder.
   * @param question all that decides on the answer, in addition to the archive.
   * @param ask gives an answer that JSON can keep; whatever was loaded before must not change it.
   */
  async answer<Answer>(
    archive: string,
    question: readonly string[],
    ask: (peer: Peer) => Promise<Answer>,
  ): Promise<Answer> {
    const key = [digestOf(archive), ...question].join(" ");
    const known = this.#known.get(key);
    if (known !== undefined) return known as Answer;
    const text = JSON.stringify(await ask(await this.peer()));
    const answer = JSON.parse(text.replaceAll(TEMPORARY, "$1…")) as Answer;
    this.#known.set(key, answer);
    this.#asked.set(key, answer);
    return answer;
  }

  /** Of which anything may be asked; started at the first call. */
  peer(): Promise<Peer> {
    this.#peer ??= this.#start();
    return this.#peer;
  }

  async close(): Promise<void> {
    await (await this.#peer)?.close();
    if (isRecording) record(this.#program, this.#asked);
    else if (!isThorough && this.#asked.size > 0)
      console.warn(`${this.#program} loaded ${this.#asked.size} archives that fixtures/${RECORDS} does not have`);
  }
}

function readRecords(): Records {
  try {
    return JSON.parse(readFileSync(fixture(RECORDS), "utf8")) as Records;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

function record(program: string, answers: ReadonlyMap<string, unknown>): void {
  const records = readRecords();
  const all = { ...records, [program]: { ...records[program], ...Object.fromEntries(answers) } };
  const sorted = <T>(object: Record<string, T>): [string, T][] =>
    Object.entries(object).sort(([left], [right]) => (left < right ? -1 : 1));
  // One answer a line: differences can be read.
  const programs = sorted(all).map(([name, kept]) => {
    const lines = sorted(kept).map(([key, answer]) => `    ${JSON.stringify(key)}: ${JSON.stringify(answer)}`);
    return `  ${JSON.stringify(name)}: {\n${lines.join(",\n")}\n  }`;
  });
  writeFileSync(fixture(RECORDS), `{\n${programs.join(",\n")}\n}\n`);
}

/** SHA-256 of a file, or of all names and files of a folder. */
function digestOf(path: string): string {
  const hash = createHash("sha256");
  if (!statSync(path).isDirectory()) return hash.update(readFileSync(path)).digest("hex");
  for (const name of (readdirSync(path, { recursive: true }) as string[]).sort()) {
    const below = join(path, name);
    hash.update(JSON.stringify([name, statSync(below).isDirectory() ? "folder" : digestOf(below)]));
  }
  return hash.digest("hex");
}
