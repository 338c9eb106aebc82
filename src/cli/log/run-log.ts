import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { UsageError } from "../../errors.ts";
import type { ProgressEvent } from "../../index.ts";
import { quote } from "../../util/format.ts";
import { redact } from "../../util/redact.ts";
import { VERSION } from "../../util/version.ts";
import type { EventLog, OutputStreams } from "../context.ts";
import { jsonText } from "../output/json-text.ts";
import { MergedEvents } from "../output/merged-events.ts";
import type { PrintedError } from "../output/render-error.ts";
import { LineLog } from "./line-log.ts";
import { redactedWords } from "./redacted-words.ts";
import { resultSummary } from "./result-summary.ts";

const FLUSH_MS = 1000;
/** What each line of a log begins with. */
const LINE_START = '{"time":"';

/**
 * The log of one run, for `--log FILE`: a JSON object on each line, first `start`, then all events, at last `end`. It is
 * appended to what the file has. Until it is opened it does nothing.
 */
export class RunLog implements EventLog {
  readonly #words: readonly string[];
  #show: (text: string) => void;
  readonly #started = performance.now();
  /** Several runs may share a file. */
  readonly #run = randomBytes(4).toString("hex");
  readonly #events = new MergedEvents(event => this.#add(event));
  #log: LineLog | undefined;
  #timer: NodeJS.Timeout | undefined;
  #result: unknown;

  constructor(words: readonly string[], stderr: OutputStreams["stderr"]) {
    this.#words = words;
    this.#show = text => void stderr.write(`${text}\n`);
  }

  /**
   * Opens the file, and writes the start of the run into it.
   *
   * @throws UsageError for a file that is no log.
   * @throws StorageError if it cannot be written.
   */
  async open(path: string, shard: unknown): Promise<void> {
    let onFault = (error: unknown): void => {
      throw error;
    };
    const log = await LineLog.open(path, error => onFault(error));
    try {
      await refuseOther(log, path);
      await log.endCutLine();
      const command = redactedWords(this.#words);
      const start = { version: VERSION, command, ...(shard === undefined ? {} : { shard }) };
      log.add(this.#line({ kind: "start", ...start, pid: process.pid, host: hostname() }));
      await log.flush();
    } catch (error) {
      await log.close();
      throw error;
    }
    onFault = error => this.#warn(path, error);
    this.#log = log;
    this.#timer = setInterval(() => void this.#flush(), FLUSH_MS).unref();
  }

  event(event: ProgressEvent): void {
    if (this.#log !== undefined) this.#events.take(event);
  }

  result(result: unknown): void {
    this.#result = result;
  }

  warnBy(show: (text: string) => void): void {
    this.#show = show;
  }

  /** Writes all that came so far, as a run does that is asked to stop. */
  flush(): void {
    void this.#flush();
  }

  /** Writes the end of the run. */
  async end(exitCode: number, error?: PrintedError): Promise<void> {
    const log = this.#log;
    if (log === undefined) return;
    this.#addEnd(exitCode, error);
    await log.close().catch(() => undefined);
  }

  /** The same before it returns: the process is about to end. */
  endNow(exitCode: number): void {
    const log = this.#log;
    if (log === undefined) return;
    this.#addEnd(exitCode, undefined);
    log.flushNow();
    void log.close().catch(() => undefined);
  }

  #addEnd(exitCode: number, error: PrintedError | undefined): void {
    clearInterval(this.#timer);
    this.#events.release();
    const seconds = Math.round(performance.now() - this.#started) / 1000;
    const result = this.#result === undefined ? {} : { result: resultSummary(this.#result) };
    const failure =
      error === undefined ? {} : { error: { code: error.code, message: error.message, hint: error.hint } };
    this.#addLeftOut();
    this.#add({ kind: "end", exitCode, seconds, ...result, ...failure }, true);
    this.#log = undefined;
  }

  async #flush(): Promise<void> {
    this.#events.release();
    this.#addLeftOut();
    await this.#log?.flush();
  }

  #addLeftOut(): void {
    const leftOut = this.#log?.takeLeftOut() ?? 0;
    if (leftOut > 0)
      this.#add({ kind: "note", message: `The disk was too slow: ${leftOut} events were left out` }, true);
  }

  #add(event: object, isNeeded: boolean = false): void {
    this.#log?.add(this.#line(event), isNeeded);
  }

  #line(event: object): string {
    return redact(jsonText({ time: new Date().toISOString(), run: this.#run, ...event }));
  }

  #warn(path: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#show(`The rest of this run is not in the log ${quote(path)}: ${message}`);
  }
}

/** @throws UsageError for what a log is not. */
async function refuseOther(log: LineLog, path: string): Promise<void> {
  const kind = await log.kind();
  const isLog = kind === "device" || (kind === "file" && LINE_START.startsWith(await log.start(LINE_START.length)));
  if (isLog) return;
  const found = kind === "file" ? "a file that is no log" : "no file";
  throw new UsageError(`Cannot append log to ${quote(path)}: found ${found}, expected a log or a new file`, {
    hint: "Choose another name for --log.",
  });
}
