import type { OnProgress, ProgressEvent } from "../../index.ts";
import type { Context, OutputStreams } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";
import { jsonText } from "./json-text.ts";
import { noteText } from "./note-text.ts";

/** Where events go that are shown. */
export interface EventWriters {
  readonly event: (event: ProgressEvent) => void;
  readonly note: (text: string) => void;
}

/**
 * The listener of one command: JSON lines on stderr with `--progress json`, else the text of notes and retries.
 * `--quiet` takes precedence over `--progress`; details need `--verbose`, except in JSON. All events go to the log of the run.
 */
export function createEventSink(
  { stderr, log }: OutputStreams & Pick<Context, "log">,
  { quiet, progress, verbose }: OutputFlags,
  write: EventWriters = eventWriters(stderr),
): OnProgress {
  if (quiet === true) return event => log?.event(event);
  if (progress === "json") {
    return event => {
      log?.event(event);
      write.event(event);
    };
  }
  return event => {
    log?.event(event);
    if (event.kind === "note" && event.isDetail === true && verbose !== true) return;
    const text = noteText(event);
    if (text !== undefined) write.note(text);
  };
}

/** Each is a line on stderr, at once. */
export function eventWriters(stderr: OutputStreams["stderr"]): EventWriters {
  return {
    event: event => void stderr.write(`${jsonText(event)}\n`),
    note: text => void stderr.write(`${text}\n`),
  };
}
