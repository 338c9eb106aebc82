import type { OnProgress, ProgressEvent, PullResult, PushResult } from "../../index.ts";
import { escapeForeign, formatBytes } from "../../util/format.ts";
import type { OutputStreams } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";
import { createEventSink } from "./event-sink.ts";

const FRAME_MS = 100;
const LINE_MS = 3000;
const BAR_WIDTH = 24;

type ProgressStyle = "bar" | "lines" | "none";

/** Progress and notes of one command on stderr: a bar on a terminal, else a line every few seconds, or JSON lines. */
export class Progress {
  readonly #stderr: OutputStreams["stderr"];
  readonly #style: ProgressStyle;
  readonly #isQuiet: boolean;
  readonly #sink: OnProgress;
  readonly #verb: string;
  readonly #startedMs = performance.now();
  #drawnMs = this.#startedMs;
  #totalBytes = 0;
  #doneBytes = 0;
  #isBarShown = false;

  constructor(
    streams: OutputStreams,
    flags: OutputFlags,
    verb: "Pushing" | "Pulling" | "Copying" | "Verifying" | "Importing" | "Converting",
  ) {
    this.#stderr = streams.stderr;
    this.#style = styleOf(streams, flags);
    this.#isQuiet = flags.quiet === true;
    this.#sink = createEventSink(streams, flags, this.note);
    this.#verb = verb;
  }

  readonly onProgress = (event: ProgressEvent): void => {
    if (event.kind === "planned") this.#totalBytes += event.bytes;
    if (event.kind === "bytes") this.#doneBytes += event.delta;
    if (event.kind === "skipped") this.#doneBytes += event.bytes;
    this.#sink(event);
    this.#draw();
  };

  /** Prints a line, unless the command is quiet. */
  readonly note = (text: string): void => {
    this.end();
    if (!this.#isQuiet) this.#stderr.write(`${text}\n`);
  };

  /** Prints what was done, in one line. */
  summary(result: PushResult | PullResult): void {
    this.note(summaryLine(result, this.#verb === "Copying" ? "Copied" : "Pushed"));
  }

  /** Clears the bar. */
  end(): void {
    if (this.#isBarShown) this.#stderr.write("\r\u001B[K");
    this.#isBarShown = false;
  }

  #draw(): void {
    if (this.#style === "none") return;
    const now = performance.now();
    if (now - this.#drawnMs < (this.#style === "bar" ? FRAME_MS : LINE_MS)) return;
    this.#drawnMs = now;
    const text = status(this.#verb, this.#doneBytes, this.#totalBytes, (now - this.#startedMs) / 1000);
    if (this.#style === "lines") {
      this.note(text);
      return;
    }
    this.#stderr.write(`\r${bar(this.#doneBytes, this.#totalBytes)} ${text}\u001B[K`);
    this.#isBarShown = true;
  }
}

function styleOf({ stderr }: OutputStreams, { progress = "auto", quiet }: OutputFlags): ProgressStyle {
  // JSON lines are events, not drawings.
  if (quiet === true || progress === "none" || progress === "json") return "none";
  const isTerminal = "isTTY" in stderr && stderr.isTTY === true;
  return progress === "auto" && isTerminal && process.env["CI"] === undefined ? "bar" : "lines";
}

function status(verb: string, bytes: number, total: number, seconds: number): string {
  const rate = seconds > 0 ? bytes / seconds : 0;
  const left = rate > 0 && total > bytes ? `, ${Math.ceil((total - bytes) / rate)} s left` : "";
  const of = total > 0 ? ` of ${formatBytes(total)}` : "";
  return `${verb} ${formatBytes(bytes)}${of}, ${formatBytes(rate)}/s${left}`;
}

function bar(bytes: number, total: number): string {
  const full = total === 0 ? 0 : Math.min(BAR_WIDTH, Math.floor((bytes / total) * BAR_WIDTH));
  return `[${"=".repeat(full)}${" ".repeat(BAR_WIDTH - full)}]`;
}

function summaryLine(result: PushResult | PullResult, done: "Pushed" | "Copied"): string {
  const seconds = `${result.seconds.toFixed(1)} s`;
  if ("output" in result) {
    const platforms =
      result.platforms.length === 0 ? "" : ` (${result.platforms.map(name => escapeForeign(name)).join(", ")})`;
    return `Pulled ${result.blobs} blobs, ${formatBytes(result.blobBytes)}, to ${result.output} in ${seconds}${platforms}`;
  }
  const { uploaded, mounted, skipped, cached } = result.blobs;
  return `${done} ${uploaded} blobs (${mounted} mounted, ${skipped} already present, ${cached} known from the cache), ${formatBytes(result.bytesSent)} sent in ${seconds}`;
}
