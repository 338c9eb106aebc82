import type { CopyResult, OnProgress, ProgressEvent, PullResult, PushResult } from "../../index.ts";
import { counted, escapeForeign, quote } from "../../util/format.ts";
import { type Clock, SYSTEM_CLOCK } from "../../util/time/clock.ts";
import type { Context, OutputStreams } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";
import { createEventSink, eventWriters } from "../output/event-sink.ts";
import { jsonText } from "../output/json-text.ts";
import { MergedEvents } from "../output/merged-events.ts";
import { MAX_NOTE } from "../output/note-text.ts";
import { hasColours } from "../screen/terminal.ts";
import { TerminalBlock } from "../screen/terminal-block.ts";
import { blockLines } from "./block-lines.ts";
import { paintLine } from "./paint-line.ts";
import { type ProgressStyle, progressStyle } from "./progress-style.ts";
import { RetryNotes } from "./retry-notes.ts";
import { summaryText } from "./summary-text.ts";
import { Tally } from "./tally.ts";
import { totalsText } from "./totals-line.ts";
import { waitingText } from "./waiting-text.ts";

const FRAME_MS = 100;
const LINE_MS = 3000;
/** Lines of a run that waits come more and more seldom. */
const MAX_LINE_MS = 60_000;
/** Without events, the block counts seconds, and a line says what is waited for. */
const TICK_MS = 500;
/** Between lines about retries of one registry; a block has a line of its own for them. */
const RETRY_MS = { block: undefined, lines: LINE_MS, none: LINE_MS } as const;

/**
 * Progress and notes of one command on stderr: totals and the blobs under way on a terminal, else a line every few seconds,
 * which says what is waited for if nothing moves, or JSON lines.
 */
export class Progress {
  readonly #stderr: OutputStreams["stderr"];
  readonly #style: ProgressStyle;
  readonly #isQuiet: boolean;
  readonly #isVerbose: boolean;
  readonly #isJson: boolean;
  readonly #limitRate: string | undefined;
  readonly #sink: OnProgress;
  /** Of `--progress json`. */
  readonly #events: MergedEvents;
  readonly #log: Context["log"];
  readonly #verb: string;
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #block: TerminalBlock;
  readonly #retries: RetryNotes;
  #stopTicks: () => void = () => undefined;
  #drawnMs: number;
  /** Of the last line: what the tally had counted, and the time until the next one if nothing changes. */
  #drawnChanges = 0;
  #gapMs = LINE_MS;

  constructor(
    streams: OutputStreams & Pick<Context, "log">,
    flags: OutputFlags & { readonly limitRate?: string | undefined },
    verb: "Pushing" | "Pulling" | "Copying" | "Verifying" | "Importing" | "Converting" | "Reading",
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#stderr = streams.stderr;
    this.#style = progressStyle(streams, flags);
    this.#isQuiet = flags.quiet === true;
    this.#limitRate = flags.limitRate === undefined ? undefined : escapeForeign(flags.limitRate);
    this.#isJson = flags.progress === "json";
    this.#isVerbose = flags.verbose === true || this.#isJson;
    this.#events = new MergedEvents(eventWriters(this.#stderr).event);
    this.#sink = createEventSink(streams, flags, { event: event => this.#events.take(event), note: this.#print });
    this.#log = streams.log;
    this.#log?.warnBy(this.#printAlways);
    this.#verb = verb;
    this.#clock = clock;
    this.#drawnMs = clock.now();
    this.#tally = new Tally(this.#drawnMs);
    this.#retries = new RetryNotes(RETRY_MS[this.#style]);
    const isPainted = hasColours(this.#stderr);
    this.#block = new TerminalBlock(this.#stderr, (columns, rows) => {
      const lines = blockLines(this.#tally.state(verb, clock.now()), columns, rows);
      return isPainted ? lines.map(paintLine) : lines;
    });
    this.#startTicks();
  }

  readonly onProgress = (event: ProgressEvent): void => {
    this.#tally.count(event, this.#clock.now());
    if (event.kind === "image" && event.state === "failed" && event.message !== undefined) this.#noteFailed(event);
    if (event.kind !== "retry" || this.#isVerbose) this.#sink(event);
    else this.#noteRetry(event);
    if (event.kind !== "note" && event.kind !== "retry") this.#drawSometimes();
  };

  /** Prints a line, unless the command is quiet. */
  readonly note = (text: string): void => {
    this.#log?.event({ kind: "note", message: text });
    this.#print(text);
  };

  readonly #print = (text: string): void => {
    if (!this.#isQuiet) this.#printAlways(text);
  };

  readonly #printAlways = (text: string): void => {
    this.#block.clear();
    this.#stderr.write(`${this.#isJson ? jsonText({ kind: "note", message: text }) : text}\n`);
  };

  /** Prints what was done, in one line. @param isPartial whether other inputs failed. */
  summary(result: PushResult | PullResult | CopyResult, isPartial: boolean): void {
    this.note(summaryText(result, this.#verb === "Copying" ? "Copied" : "Pushed", isPartial));
    if ("uncheckedBlobs" in result) this.#noteUnchecked(result.uncheckedBlobs);
  }

  /** Blobs and bytes that are planned. */
  get planned(): { readonly blobs: number; readonly bytes: number } {
    const { blobs, total } = this.#tally.state(this.#verb, this.#clock.now());
    return { blobs: blobs?.total ?? 0, bytes: total ?? 0 };
  }

  #noteUnchecked(blobs: number): void {
    if (blobs === 0) return;
    const copies = blobs === 1 ? "its copy in the archive was not read" : "their copies in the archive were not read";
    this.note(
      `The registry has ${counted(blobs, "blob")} already, so ${copies}. To check the archive: "imgpack verify"`,
    );
  }

  /** Runs a task that uses the terminal itself, such as a question, with nothing drawn. */
  async aside<T>(task: () => Promise<T>): Promise<T> {
    this.#stopTicks();
    this.#block.clear();
    try {
      return await task();
    } finally {
      // The time that a person took is no wait.
      this.#drawnMs = this.#clock.now();
      this.#tally.changedMs = this.#drawnMs;
      this.#startTicks();
    }
  }

  /** Clears what is drawn, and draws nothing more. */
  end(): void {
    this.#stopTicks();
    this.#events.release();
    this.#block.clear();
    for (const text of this.#retries.rest()) this.#print(text);
  }

  /** At once: the error at the end lists what failed. A single image has no other line. */
  #noteFailed({ name, message }: { readonly name: string; readonly message?: string }): void {
    if (this.#style === "none" || this.#tally.images < 2) return;
    this.#print(`${quote(name)} failed: ${escapeForeign(message ?? "", MAX_NOTE)}`);
  }

  #noteRetry(event: Extract<ProgressEvent, { readonly kind: "retry" }>): void {
    this.#log?.event(event);
    const text = this.#retries.noteOf(event, this.#clock.now());
    if (text !== undefined) this.#print(text);
  }

  #startTicks(): void {
    if (this.#style !== "none") this.#stopTicks = this.#clock.every(TICK_MS, () => this.#tick());
    else if (this.#isJson) this.#stopTicks = this.#clock.every(TICK_MS, () => this.#events.release());
  }

  #tick(): void {
    this.#tally.tick(this.#clock.now());
    this.#drawSometimes();
  }

  #drawSometimes(): void {
    const sinceMs = this.#clock.now() - this.#drawnMs;
    if (this.#style === "block" && sinceMs >= FRAME_MS) this.#drawBlock();
    const isMoving = this.#tally.changes !== this.#drawnChanges;
    if (this.#style === "lines" && sinceMs >= (isMoving ? LINE_MS : this.#gapMs)) this.#drawLine();
  }

  #drawBlock(): void {
    this.#drawnMs = this.#clock.now();
    this.#block.draw();
  }

  #drawLine(): void {
    const now = this.#clock.now();
    const state = this.#tally.state(this.#verb, now);
    const { changes } = this.#tally;
    const isMoving = changes !== this.#drawnChanges;
    const totals = totalsText(state);
    // The verb alone says nothing: what is waited for does.
    const isTold = isMoving && totals !== state.verb;
    const waiting = isTold ? "" : waitingText(state, now - this.#tally.changedMs, this.#limitRate);
    if (waiting === undefined) return;
    this.#print(`${totals}${waiting === "" ? "" : `: ${waiting}`}`);
    this.#gapMs = isMoving ? LINE_MS : Math.min(MAX_LINE_MS, this.#gapMs * 2);
    this.#drawnMs = now;
    this.#drawnChanges = changes;
  }
}
