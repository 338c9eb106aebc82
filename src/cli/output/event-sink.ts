import type { OnProgress } from "../../index.ts";
import type { Context, OutputStreams } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";
import { jsonText } from "./json-text.ts";
import { noteText } from "./note-text.ts";

/**
 * The listener of one command: JSON lines on stderr with `--progress json`, else the text of notes and retries.
 * `--quiet` takes precedence over `--progress`; details need `--verbose`, except in JSON. All events go to the log of the run.
 */
export function createEventSink(
  { stderr, log }: OutputStreams & Pick<Context, "log">,
  { quiet, progress, verbose }: OutputFlags,
  writeNote: (text: string) => void = text => void stderr.write(`${text}\n`),
): OnProgress {
  if (quiet === true) return event => log?.event(event);
  if (progress === "json") {
    return event => {
      log?.event(event);
      stderr.write(`${jsonText(event)}\n`);
    };
  }
  return event => {
    log?.event(event);
    if (event.kind === "note" && event.isDetail === true && verbose !== true) return;
    const text = noteText(event);
    if (text !== undefined) writeNote(text);
  };
}
