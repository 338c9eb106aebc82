import type { CopyResult, OnProgress, ProgressEvent, PullResult, PushResult } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";
import type { OutputStreams } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";
import { createEventSink } from "./event-sink.ts";
import { Meter } from "./meter.ts";
import { type ProgressState, progressBar, progressText } from "./progress-line.ts";
import { writtenText } from "./written-text.ts";

const FRAME_MS = 100;
const LINE_MS = 3000;
/** Where the terminal does not say how wide it is. */
const DEFAULT_COLUMNS = 80;

type ProgressStyle = "bar" | "lines" | "none";

/** Progress and notes of one command on stderr: a bar on a terminal, else a line every few seconds, or JSON lines. */
export class Progress {
  readonly #stderr: OutputStreams["stderr"];
  readonly #style: ProgressStyle;
  readonly #isQuiet: boolean;
  readonly #sink: OnProgress;
  readonly #verb: string;
  readonly #now: () => number;
  #drawnMs: number;
  #transfer = new Meter();
  /** While an archive is read from front to back: only its own size says how much is left. */
  #reading: Meter | undefined;
  /** Blobs are hashed or sent while they are read. */
  #isMoving = false;
  #isBarShown = false;

  /** @param now milliseconds of a clock that never goes back. */
  constructor(
    streams: OutputStreams,
    flags: OutputFlags,
    verb: "Pushing" | "Pulling" | "Copying" | "Verifying" | "Importing" | "Converting" | "Reading",
    now: () => number = () => performance.now(),
  ) {
    this.#stderr = streams.stderr;
    this.#style = styleOf(streams, flags);
    this.#isQuiet = flags.quiet === true;
    this.#sink = createEventSink(streams, flags, this.note);
    this.#verb = verb;
    this.#now = now;
    this.#drawnMs = now();
  }

  readonly onProgress = (event: ProgressEvent): void => {
    this.#count(event);
    this.#sink(event);
    if (event.kind !== "note" && event.kind !== "retry") this.#drawSometimes();
  };

  /** Prints a line, unless the command is quiet. */
  readonly note = (text: string): void => {
    this.end();
    if (!this.#isQuiet) this.#stderr.write(`${text}\n`);
  };

  /** Prints what was done, in one line. */
  summary(result: PushResult | PullResult | CopyResult): void {
    this.note(summaryLine(result, this.#verb === "Copying" ? "Copied" : "Pushed"));
    if ("uncheckedBlobs" in result) this.#noteUnchecked(result.uncheckedBlobs);
  }

  #noteUnchecked(blobs: number): void {
    if (blobs === 0) return;
    this.note(
      `The registry has ${counted(blobs, "blob")} already, so ${blobs === 1 ? "its copy in the archive was" : "their copies in the archive were"} not checked; "imgpack verify" does that`,
    );
  }

  /** Clears the bar. */
  end(): void {
    if (!this.#isBarShown) return;
    this.#stderr.write("\r\u001B[K");
    this.#stderr.off("resize", this.#drawBar);
    this.#isBarShown = false;
  }

  #count(event: ProgressEvent): void {
    const transfer = this.#transfer;
    if (event.kind === "planned") transfer.total = (transfer.total ?? 0) + event.bytes;
    if (event.kind === "skipped") transfer.skip(event.bytes);
    if (event.kind === "bytes") {
      transfer.move(event.delta, this.#now());
      this.#isMoving = true;
    }
    if (event.kind !== "reading") return;
    if (event.bytes === event.total) {
      this.#reading = undefined;
      return;
    }
    if (this.#reading === undefined) this.#isMoving = false;
    const reading = this.#reading ?? new Meter();
    reading.move(event.bytes - reading.bytes, this.#now());
    reading.total = event.total;
    this.#reading = reading;
  }

  #drawSometimes(): void {
    if (this.#style === "none") return;
    const now = this.#now();
    if (now - this.#drawnMs < (this.#style === "bar" ? FRAME_MS : LINE_MS)) return;
    this.#drawnMs = now;
    if (this.#style === "lines") this.note(progressText(this.#state()));
    else this.#drawBar();
  }

  readonly #drawBar = (): void => {
    const columns = ("columns" in this.#stderr ? this.#stderr.columns : undefined) || DEFAULT_COLUMNS;
    this.#stderr.write(`\r${progressBar(this.#state(), columns)}\u001B[K`);
    // The terminal has moved the old line already: only the next one can fit.
    if (!this.#isBarShown) this.#stderr.on("resize", this.#drawBar);
    this.#isBarShown = true;
  };

  #state(): ProgressState {
    const now = this.#now();
    const meter = this.#reading ?? this.#transfer;
    return {
      verb: this.#reading === undefined || this.#isMoving ? this.#verb : "Reading",
      bytes: meter.bytes,
      total: meter.total,
      rate: meter.rate(now),
      secondsLeft: meter.secondsLeft(now),
    };
  }
}

function styleOf({ stderr }: OutputStreams, { progress = "auto", quiet }: OutputFlags): ProgressStyle {
  // JSON lines are events, not drawings.
  if (quiet === true || progress === "none" || progress === "json") return "none";
  const isTerminal = "isTTY" in stderr && stderr.isTTY === true && process.env["TERM"] !== "dumb";
  return progress === "auto" && isTerminal && process.env["CI"] === undefined ? "bar" : "lines";
}

function summaryLine(result: PushResult | PullResult | CopyResult, done: "Pushed" | "Copied"): string {
  const seconds = `${result.seconds.toFixed(1)} s`;
  if ("output" in result) {
    const platforms =
      result.platforms.length === 0 ? "" : ` (${result.platforms.map(name => escapeForeign(name)).join(", ")})`;
    return `Pulled ${writtenText(result)} in ${seconds}${platforms}`;
  }
  const { uploaded, mounted, skipped, cached } = result.blobs;
  return `${done} ${counted(uploaded, "blob")} (${mounted} mounted, ${skipped} already present, ${cached} known from the cache), ${formatBytes(result.bytesSent)} sent in ${seconds}`;
}
