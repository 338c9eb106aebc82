import { capital } from "../../util/format.ts";
import type { FlagDefinition } from "./command-definition.ts";

/** What a flag does, and whether it must or may be given more than once. */
export function descriptionOf({ text, isRepeatable, isRequired }: FlagDefinition): string {
  const marks = [...(isRequired ? ["required"] : []), ...(isRepeatable ? ["repeatable"] : [])];
  return marks.length === 0 ? text : `${text}; ${marks.join(", ")}`;
}

/** A summary as a sentence. */
export function sentence(text: string): string {
  return `${capital(text)}.`;
}
