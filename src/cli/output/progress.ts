import type { ProgressEvent, PullResult, PushResult } from "../../index.ts";
import { escapeForeign, formatBytes } from "../../util/format.ts";
import type { Session } from "../context.ts";
import type { OutputFlags } from "../flags/options.ts";

const FRAME_MS = 100;
const LINE_MS = 3000;
const BAR_WIDTH = 24;

/** What a person sees on stderr while a copy runs. */
export interface Progress {
  readonly onProgress: (event: ProgressEvent) => void;
  note(text: string): void;
  /** One closing line of what was done. */
  summary(result: PushResult | PullResult): void;
  /** Clears the bar; nothing is drawn afterwards. */
  end(): void;
}

type Form = "bar" | "lines" | "json" | "none";

/** A bar on a terminal, a line every few seconds off one, or events as JSON lines. */
export function createProgress(
  session: Session,
  flags: OutputFlags,
  verb: "Pushing" | "Pulling" | "Copying" | "Verifying" | "Importing" | "Converting",
): Progress {
  const form = formOf(session, flags);
  const isQuiet = flags.quiet === true;
  const { stderr } = session;
  const started = performance.now();
  let totalBytes = 0;
  let bytes = 0;
  let drawn = started;
  let isBarShown = false;
  const clear = (): void => {
    if (isBarShown) stderr.write("\r\u001B[K");
    isBarShown = false;
  };
  const say = (text: string): void => {
    clear();
    if (!isQuiet) stderr.write(`${text}\n`);
  };
  const draw = (): void => {
    const now = performance.now();
    if (form !== "bar" && form !== "lines") return;
    if (now - drawn < (form === "bar" ? FRAME_MS : LINE_MS)) return;
    drawn = now;
    const text = status(verb, bytes, totalBytes, (now - started) / 1000);
    if (form === "lines") {
      say(text);
      return;
    }
    stderr.write(`\r${bar(bytes, totalBytes)} ${text}\u001B[K`);
    isBarShown = true;
  };
  return {
    onProgress(event) {
      if (form === "json") stderr.write(`${JSON.stringify(event)}\n`);
      if (event.kind === "planned") totalBytes += event.bytes;
      if (event.kind === "bytes") bytes += event.delta;
      if (event.kind === "skipped") bytes += event.bytes;
      if (event.kind === "note" && form !== "json") say(event.message);
      if (event.kind === "retry" && form !== "json") {
        say(`${escapeForeign(event.message, 1000)}; trying again in ${Math.ceil(event.waitMs / 1000)} s`);
      }
      draw();
    },
    note: say,
    summary: result => say(summaryLine(result, verb === "Copying" ? "Copied" : "Pushed")),
    end: clear,
  };
}

function formOf({ stderr }: Session, { progress = "auto", quiet }: OutputFlags): Form {
  if (quiet === true || progress === "none") return "none";
  if (progress === "json") return "json";
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
    return `Pulled ${result.blobs} blobs, ${formatBytes(result.blobBytes)}, to ${result.output} in ${seconds} (${result.platforms.join(", ")})`;
  }
  const { uploaded, mounted, skipped, cached } = result.blobs;
  return `${done} ${uploaded} blobs (${mounted} mounted, ${skipped} there already, ${cached} known from the cache), ${formatBytes(result.bytesSent)} sent in ${seconds}`;
}
