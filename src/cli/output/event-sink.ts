import type { OnProgress } from "../../index.ts";
import type { OutputStreams } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";
import { jsonText } from "./json-text.ts";
import { noteText } from "./note-text.ts";

/**
 * The listener of one command: JSON lines on stderr with `--progress json`, else the text of notes and retries.
 * `--quiet` takes precedence over `--progress`; details need `--verbose`, except in JSON.
 */
export function createEventSink(
  { stderr }: OutputStreams,
  { quiet, progress, verbose }: OutputFlags,
  writeNote: (text: string) => void = text => void stderr.write(`${text}\n`),
): OnProgress {
  if (quiet === true) return () => undefined;
  if (progress === "json") return event => void stderr.write(`${jsonText(event)}\n`);
  return event => {
    if (event.kind === "note" && event.isDetail === true && verbose !== true) return;
    const text = noteText(event);
    if (text !== undefined) writeNote(text);
  };
}
